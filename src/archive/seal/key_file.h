#pragma once
// Private keys in files, for signer and witness. Mode 0600 or stricter, or they are refused. Two forms:
//   PEM (PKCS #8), as `openssl genpkey -algorithm ed25519` writes it, encrypted with a passphrase or not;
//   one line "PRIVATE+KEY+<name>+<id>+<base64>" (signed-note's signer key); the name in it is not used.
#include <expected>
#include <filesystem>
#include <optional>
#include <string>

#include "merkle/note.h"

namespace chancery::seal {

// The error is a sentence for the operator: which file, what is wrong, what would be right.
std::expected<merkle::PrivateKey, std::string> load_private_key(const std::filesystem::path& file,
                                                                const std::optional<Buffer>& passphrase = {});
// A new key from the system's random generator, PEM; encrypted (PKCS #8, AES-256-CBC, PBKDF2) when there is a
// passphrase. Refuses to overwrite.
std::expected<merkle::PrivateKey, std::string> create_private_key(const std::filesystem::path& file,
                                                                  const std::optional<Buffer>& passphrase = {});

}  // namespace chancery::seal
