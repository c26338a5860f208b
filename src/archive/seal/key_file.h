#pragma once
// Private keys in files, for signer and witness. Mode 0600 or stricter, or they are refused. Two forms:
//   PEM (PKCS #8), as `openssl genpkey -algorithm ed25519` writes it, encrypted with a passphrase or not;
//   one line "PRIVATE+KEY+<name>+<id>+<base64>" (signed-note's signer key); the name in it is not used.
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "merkle/note.h"

namespace chancery::seal {

// The error is a sentence for the operator: which file, what is wrong, what would be right.
std::expected<merkle::PrivateKey, std::string> load_private_key(const std::filesystem::path& file,
                                                                const std::optional<Buffer>& passphrase = {});
// A new key from the system's random generator, PEM; encrypted (PKCS #8, AES-256-CBC, PBKDF2) when there is a
// passphrase. Refuses to overwrite.
std::expected<merkle::PrivateKey, std::string> create_private_key(const std::filesystem::path& file,
                                                                  const std::optional<Buffer>& passphrase = {});

// Rotation. The next key lies beside the current one, as FILE.next, until the old one is retired: then it takes its
// name, and the old one's octets are overwritten. docs/formats/checkpoint.md, "Another key".
std::filesystem::path next_key_file(const std::filesystem::path& file);
// The current key and, if there is one, the next.
std::expected<std::vector<merkle::PrivateKey>, std::string> load_private_keys(
    const std::filesystem::path& file, const std::optional<Buffer>& passphrase = std::nullopt);
// Makes the next key; refuses while another rotation is not finished.
std::expected<merkle::PrivateKey, std::string> create_next_key(const std::filesystem::path& file,
                                                               const std::optional<Buffer>& passphrase = std::nullopt);
// The next key becomes the current one. Whether every log has taken it up is the caller's to know.
std::expected<void, std::string> retire_private_key(const std::filesystem::path& file);

}  // namespace chancery::seal
