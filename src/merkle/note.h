#pragma once
// C2SP signed-note v1: a text, a blank line, signature lines. Strict: what parses is written again octet for octet.
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "merkle/ed25519.h"

namespace chancery::merkle {

inline constexpr std::size_t kNoteSizeMax = 64U << 10;  // octets
inline constexpr std::size_t kNoteSignaturesMax = 64;   // the specification asks for at least 16
inline constexpr std::size_t kKeyNameSizeMax = 255;     // octets

enum class NoteError {
  malformed = 1,   // not a signed note
  too_large,       // over kNoteSizeMax or kNoteSignaturesMax
  bad_key,         // not a verifier or signer key of a known type, or its key id is wrong
  bad_checkpoint,  // a note, but its text is not a checkpoint
  bad_proof,       // not a tlog-proof
};
std::error_code make_error_code(NoteError error);

// Signature type identifiers of signed-note.
enum class KeyType : std::uint8_t { ed25519 = 0x01, cosignature = 0x04 };

// "<name>+<key id>+<base64(type ‖ public key)>"
struct VerifierKey {
  std::string name;
  KeyType type = KeyType::ed25519;
  PublicKey key{};

  std::uint32_t id() const;
  std::string vkey() const;
  static std::expected<VerifierKey, std::error_code> parse(std::string_view vkey);
  bool operator==(const VerifierKey&) const = default;
};
bool is_key_name(std::string_view name);  // not empty, UTF-8, no Unicode space, no '+', no control character

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  Buffer signature;  // without the key id

  std::string line() const;  // "— <name> <base64>\n"
  bool operator==(const NoteSignature&) const = default;
};

struct Note {
  Buffer text;  // ends in a newline; the separating blank line is not part of it
  std::vector<NoteSignature> signatures;

  Buffer encode() const;
  bool operator==(const Note&) const = default;
};
// At least one signature line.
std::expected<Note, std::error_code> parse_note(Bytes note);
// Signature lines alone, as a witness answers. At least one.
std::expected<std::vector<NoteSignature>, std::error_code> parse_signatures(Bytes lines);

// The signer's half.
struct SigningKey {
  std::string name;
  KeyType type = KeyType::ed25519;
  PrivateKey key;

  VerifierKey verifier() const { return {name, type, key.public_key()}; }
  NoteSignature sign(Bytes text) const;  // type ed25519
  // C2SP tlog-cosignature v1, type cosignature: over "cosignature/v1\ntime <seconds>\n" and the checkpoint's text.
  NoteSignature cosign(Bytes text, std::uint64_t time_s) const;

  // "PRIVATE+KEY+<name>+<key id>+<base64(type ‖ seed)>", as golang.org/x/mod/sumdb/note writes it. Secret.
  Buffer skey() const;
  static std::expected<SigningKey, std::error_code> parse(std::string_view skey);
};

struct Checked {
  // `invalid`: a signature with this key's name and id is there and does not verify; the whole note must be rejected.
  enum class State : std::uint8_t { absent, invalid, valid };
  State state = State::absent;
  std::uint64_t time_s = 0;  // of a cosignature: the earliest, if there are several

  bool is_valid() const { return state == State::valid; }
};
Checked check(const Note& note, const VerifierKey& key);

}  // namespace chancery::merkle

template <>
struct std::is_error_code_enum<chancery::merkle::NoteError> : std::true_type {};
