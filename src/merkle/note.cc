#include "merkle/note.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "core/encoding.h"
#include "core/utf8.h"
#include "merkle/hash.h"

namespace chancery::merkle {
namespace {

constexpr std::string_view kLinePrefix = "\xe2\x80\x94 ";  // U+2014, space
constexpr std::string_view kSkeyPrefix = "PRIVATE+KEY+";
constexpr std::size_t kKeyIdSize = 4;
constexpr std::size_t kTimeSize = 8;

class NoteCategory : public std::error_category {
 public:
  const char* name() const noexcept override { return "signed note"; }
  std::string message(int value) const override {
    switch (static_cast<NoteError>(value)) {
      case NoteError::malformed:
        return "not a signed note";
      case NoteError::too_large:
        return "too large, or too many signatures";
      case NoteError::bad_key:
        return "not a key of a known type with its right key id";
      case NoteError::bad_checkpoint:
        return "not a checkpoint";
      case NoteError::bad_proof:
        return "not a tlog-proof";
    }
    return "unknown error";
  }
};

Buffer big_endian(std::uint64_t value, std::size_t size) {
  Buffer octets(size, '\0');
  for (std::size_t i = size; i-- > 0; value >>= 8) octets[i] = static_cast<char>(value & 0xff);
  return octets;
}

std::uint64_t from_big_endian(Bytes octets) {
  std::uint64_t value = 0;
  for (const char c : octets) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Unicode White_Space outside ASCII, in UTF-8.
constexpr std::string_view kSpaces[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
                                        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
                                        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
                                        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

std::uint32_t key_id(std::string_view name, KeyType type, const PublicKey& key) {
  const char type_octet = static_cast<char>(type);
  const Hash hash = sha256({name, "\n", Bytes{&type_octet, 1}, bytes_of_key(key)});
  return static_cast<std::uint32_t>(from_big_endian(bytes_of(hash).substr(0, kKeyIdSize)));
}

bool is_known(char type) {
  return type == static_cast<char>(KeyType::ed25519) || type == static_cast<char>(KeyType::cosignature);
}

// What vkey and skey share: "<name>+<8 hex>+<base64(type ‖ 32 octets)>".
struct KeyText {
  std::string name;
  std::uint32_t id = 0;
  Buffer material;  // type and 32 octets
};

std::optional<KeyText> split_key(std::string_view text) {
  const auto first = text.find('+');
  if (first == std::string_view::npos || text.size() < first + 10 || text[first + 9] != '+') return std::nullopt;
  const std::string_view name = text.substr(0, first), id = text.substr(first + 1, 8);
  const auto id_octets = from_hex(id);
  auto material = from_base64(text.substr(first + 10));
  if (!is_key_name(name) || !id_octets || to_hex(*id_octets) != id) return std::nullopt;
  if (!material || material->size() != 1 + kEd25519KeySize || !is_known(material->front())) return std::nullopt;
  return KeyText{std::string{name}, static_cast<std::uint32_t>(from_big_endian(*id_octets)), std::move(*material)};
}

std::optional<NoteSignature> parse_line(std::string_view line) {
  if (!line.starts_with(kLinePrefix)) return std::nullopt;
  line.remove_prefix(kLinePrefix.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) return std::nullopt;
  const auto octets = from_base64(line.substr(space + 1));
  if (!octets || octets->size() <= kKeyIdSize) return std::nullopt;
  return NoteSignature{std::string{line.substr(0, space)},
                       static_cast<std::uint32_t>(from_big_endian(Bytes{*octets}.substr(0, kKeyIdSize))),
                       octets->substr(kKeyIdSize)};
}

Buffer cosigned_message(Bytes text, std::uint64_t time_s) {
  return fmt::format("cosignature/v1\ntime {}\n{}", time_s, text);
}

bool has_control_character(Bytes octets) {
  return std::ranges::any_of(octets, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

}  // namespace

std::error_code make_error_code(NoteError error) {
  static const NoteCategory category;
  return {static_cast<int>(error), category};
}

bool is_key_name(std::string_view name) {
  if (name.empty() || name.size() > kKeyNameSizeMax || !is_utf8(name)) return false;
  if (std::ranges::any_of(name, [](char c) { return (c >= 0 && c <= ' ') || c == '+'; })) return false;
  return std::ranges::none_of(kSpaces, [&](std::string_view space) { return name.find(space) != name.npos; });
}

std::uint32_t VerifierKey::id() const { return key_id(name, type, key); }

std::string VerifierKey::vkey() const {
  const char type_octet = static_cast<char>(type);
  return fmt::format("{}+{:08x}+{}", name, id(), chancery::to_base64(Buffer{type_octet}.append(bytes_of_key(key))));
}

std::expected<VerifierKey, std::error_code> VerifierKey::parse(std::string_view vkey) {
  const auto parts = split_key(vkey);
  if (!parts) return std::unexpected(NoteError::bad_key);
  VerifierKey key{parts->name, static_cast<KeyType>(parts->material.front())};
  std::memcpy(key.key.data(), parts->material.data() + 1, key.key.size());
  if (key.id() != parts->id) return std::unexpected(NoteError::bad_key);
  return key;
}

std::string NoteSignature::line() const {
  return fmt::format("{}{} {}\n", kLinePrefix, name, chancery::to_base64(big_endian(key_id, kKeyIdSize) + signature));
}

Buffer Note::encode() const {
  Buffer octets = text + "\n";
  for (const NoteSignature& signature : signatures) octets += signature.line();
  return octets;
}

std::expected<std::vector<NoteSignature>, std::error_code> parse_signatures(Bytes lines) {
  std::vector<NoteSignature> signatures;
  if (lines.size() > kNoteSizeMax) return std::unexpected(NoteError::too_large);
  if (lines.empty() || lines.back() != '\n') return std::unexpected(NoteError::malformed);
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    auto signature = parse_line(lines.substr(0, end));
    if (!signature) return std::unexpected(NoteError::malformed);
    if (signatures.size() == kNoteSignaturesMax) return std::unexpected(NoteError::too_large);
    signatures.push_back(std::move(*signature));
    lines.remove_prefix(end + 1);
  }
  return signatures;
}

std::expected<Note, std::error_code> parse_note(Bytes note) {
  if (note.size() > kNoteSizeMax) return std::unexpected(NoteError::too_large);
  if (has_control_character(note) || !is_utf8(note)) return std::unexpected(NoteError::malformed);
  // "the text is separated from the signatures by the last empty line in the note"
  const auto split = note.rfind("\n\n");
  if (split == Bytes::npos) return std::unexpected(NoteError::malformed);
  auto signatures = parse_signatures(note.substr(split + 2));
  if (!signatures) return std::unexpected(signatures.error());
  return Note{Buffer{note.substr(0, split + 1)}, std::move(*signatures)};
}

NoteSignature SigningKey::sign(Bytes text) const { return {name, verifier().id(), key.sign(text)}; }

NoteSignature SigningKey::cosign(Bytes text, std::uint64_t time_s) const {
  return {name, verifier().id(), big_endian(time_s, kTimeSize) + key.sign(cosigned_message(text, time_s))};
}

Buffer SigningKey::skey() const {
  const char type_octet = static_cast<char>(type);
  return fmt::format("{}{}+{:08x}+{}", kSkeyPrefix, name, verifier().id(),
                     chancery::to_base64(Buffer{type_octet} + key.seed()));
}

std::expected<SigningKey, std::error_code> SigningKey::parse(std::string_view skey) {
  if (!skey.starts_with(kSkeyPrefix)) return std::unexpected(NoteError::bad_key);
  const auto parts = split_key(skey.substr(kSkeyPrefix.size()));
  if (!parts) return std::unexpected(NoteError::bad_key);
  auto key = PrivateKey::from_seed(Bytes{parts->material}.substr(1));
  if (!key) return std::unexpected(NoteError::bad_key);
  SigningKey result{parts->name, static_cast<KeyType>(parts->material.front()), std::move(*key)};
  if (result.verifier().id() != parts->id) return std::unexpected(NoteError::bad_key);
  return result;
}

Checked check(const Note& note, const VerifierKey& key) {
  Checked result;
  const std::uint32_t id = key.id();
  for (const NoteSignature& signature : note.signatures) {
    if (signature.key_id != id || signature.name != key.name) continue;
    Bytes octets = signature.signature;
    std::uint64_t time_s = 0;
    Buffer cosigned;
    if (key.type == KeyType::cosignature) {
      if (octets.size() != kTimeSize + kEd25519SignatureSize) return {Checked::State::invalid};
      time_s = from_big_endian(octets.substr(0, kTimeSize));
      if (time_s >> 63 != 0) return {Checked::State::invalid};  // "It MUST NOT exceed 2^63 - 1"
      octets.remove_prefix(kTimeSize);
      cosigned = cosigned_message(note.text, time_s);
    }
    if (!verify(key.key, key.type == KeyType::cosignature ? Bytes{cosigned} : Bytes{note.text}, octets))
      return {Checked::State::invalid};
    result.time_s = result.is_valid() ? std::min(result.time_s, time_s) : time_s;
    result.state = Checked::State::valid;
  }
  return result;
}

}  // namespace chancery::merkle
