#include "archive/verify/anchors.h"

#include <algorithm>
#include <cstring>

#include "archive/verify/history.h"
#include "core/encoding.h"

namespace chancery::verify {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// RFC 8410 §10.1: a SubjectPublicKeyInfo of Ed25519 is these octets and the key.
constexpr std::string_view kPemBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kPemEnd = "-----END PUBLIC KEY-----";
constexpr std::string_view kSpkiHead{"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12};

// Takes one PEM key off the front of `text`, as `openssl pkey -pubout` writes it.
std::optional<merkle::PublicKey> take_pem(std::string_view& text) {
  const auto end = text.find(kPemEnd);
  if (end == text.npos) return std::nullopt;
  const auto octets = from_base64(trimmed(text.substr(kPemBegin.size(), end - kPemBegin.size())));
  text.remove_prefix(end + kPemEnd.size());
  if (!octets || !octets->starts_with(kSpkiHead) || octets->size() != kSpkiHead.size() + merkle::kEd25519KeySize)
    return std::nullopt;
  merkle::PublicKey key;
  std::memcpy(key.data(), octets->data() + kSpkiHead.size(), key.size());
  return key;
}

std::optional<merkle::PublicKey> parse_key(std::string_view line) {
  if (const auto key = merkle::VerifierKey::parse(line)) return key->key;
  auto octets = line.size() == 64 ? from_hex(line) : from_base64(line);
  if (!octets || octets->size() != merkle::kEd25519KeySize) return std::nullopt;
  merkle::PublicKey key;
  std::memcpy(key.data(), octets->data(), key.size());
  return key;
}

}  // namespace

merkle::Checked Anchors::check(const merkle::Note& note, const merkle::VerifierKey& key) const {
  if (memo == nullptr) return merkle::check(note, key);
  const Hash name = merkle::sha256({note.encode(), "\n", key.vkey()});
  const auto found = memo->find(name);
  return found != memo->end() ? found->second : memo->emplace(name, merkle::check(note, key)).first->second;
}

std::expected<std::vector<merkle::PublicKey>, std::string> parse_keys(std::string_view text) {
  std::vector<merkle::PublicKey> keys;
  while (!(text = trimmed(text)).empty()) {
    std::optional<merkle::PublicKey> key;
    if (text.starts_with(kPemBegin)) {
      key = take_pem(text);
    } else {
      const auto end = std::min(text.find('\n'), text.size());
      key = parse_key(trimmed(text.substr(0, end)));
      text.remove_prefix(end);
    }
    if (!key)
      return std::unexpected(
          "not a public key: expected a vkey (\"name+id+base64\"), 64 hex digits, base64 of 32 octets, or PEM");
    keys.push_back(*key);
  }
  if (keys.empty()) return std::unexpected("there is no key in it");
  return keys;
}

std::expected<merkle::VerifierKey, std::string> parse_witness(std::string_view text) {
  const auto key = merkle::VerifierKey::parse(trimmed(text));
  if (!key || key->type != merkle::KeyType::cosignature)
    return std::unexpected("not a witness's verifier key: expected \"name+id+base64\" of a cosignature key (type 4)");
  return *key;
}

std::expected<HeldCheckpoint, std::string> parse_held(Bytes text) {
  const SplitHistory split = split_history(text);
  const Bytes octets = split.rest.empty() && !split.notes.empty() ? split.notes.back() : text;
  auto note = merkle::parse_note(octets);
  const auto checkpoint = note ? merkle::Checkpoint::parse(note->text) : std::unexpected(note.error());
  if (!checkpoint) return std::unexpected("not a checkpoint (C2SP tlog-checkpoint, a signed note)");
  return HeldCheckpoint{checkpoint->origin, checkpoint->head, std::move(*note)};
}

}  // namespace chancery::verify
