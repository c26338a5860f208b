#include "archive/seal/signer_core.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace chancery::seal {
namespace {

constexpr std::string_view kPrevious = "previous ";
constexpr std::string_view kSigner = "signer ";

// "signer 0a1b2c3d": a key id, eight hex digits.
std::optional<std::uint32_t> parse_signer(std::string_view line) {
  if (!line.starts_with(kSigner) || line.size() != kSigner.size() + 8) return std::nullopt;
  std::uint32_t id = 0;
  const auto digits = line.substr(kSigner.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id, 16);
  if (error != std::errc{} || fmt::format("{:08x}", id) != digits) return std::nullopt;
  return id;
}

}  // namespace

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::malformed:
      return "malformed";
    case Refusal::foreign_origin:
      return "foreign-origin";
    case Refusal::conflict:
      return "conflict";
    case Refusal::shrinking:
      return "shrinking";
    case Refusal::forked:
      return "forked";
    case Refusal::unknown_key:
      return "unknown-key";
  }
  return "unknown";
}

Buffer SignRequest::encode() const {
  merkle::Checkpoint text{origin, head, {std::string{kPrevious} + merkle::to_base64(previous)}};
  if (key_id) text.extensions.push_back(fmt::format("{}{:08x}", kSigner, *key_id));
  return merkle::AddCheckpoint{old_size, proof, text.text()}.encode();
}

std::expected<SignRequest, std::error_code> SignRequest::parse(Bytes body) {
  auto request = merkle::AddCheckpoint::parse(body);
  if (!request) return std::unexpected(request.error());
  const auto text = merkle::Checkpoint::parse(request->checkpoint);
  if (!text) return std::unexpected(text.error());
  const std::size_t lines = text->extensions.size();
  if (lines < 1 || lines > 2 || !text->extensions[0].starts_with(kPrevious) || !merkle::is_key_name(text->origin))
    return std::unexpected(merkle::NoteError::bad_checkpoint);
  const auto key_id = lines == 2 ? parse_signer(text->extensions[1]) : std::nullopt;
  if (lines == 2 && !key_id) return std::unexpected(merkle::NoteError::bad_checkpoint);
  const auto previous = merkle::hash_from_base64(std::string_view{text->extensions[0]}.substr(kPrevious.size()));
  if (!previous) return std::unexpected(merkle::NoteError::bad_checkpoint);
  return SignRequest{text->origin, text->head, *previous, request->old_size, std::move(request->proof), key_id};
}

std::vector<merkle::VerifierKey> SignerCore::verifiers(const std::string& origin) const {
  std::vector<merkle::VerifierKey> all;
  for (const merkle::PrivateKey& key : keys_) all.push_back({origin, merkle::KeyType::ed25519, key.public_key()});
  return all;
}

const merkle::PrivateKey* SignerCore::key_for(const SignRequest& request) const {
  if (!request.key_id) return &keys_.front();
  for (const merkle::PrivateKey& key : keys_)
    if (merkle::VerifierKey{request.origin, merkle::KeyType::ed25519, key.public_key()}.id() == *request.key_id)
      return &key;
  return nullptr;
}

// "A log MUST not sign any checkpoint which is inconsistent with any checkpoint it previously signed."
// (tlog-checkpoint)
std::expected<Approval, Refused> SignerCore::sign(const std::optional<Signed>& last, const SignRequest& request,
                                                  Instant now) const {
  const std::uint64_t known = last ? last->head.size : 0;
  const auto refuse = [&](Refusal why) { return std::unexpected(Refused{why, known}); };
  if (!request.origin.starts_with(origin_prefix_)) return refuse(Refusal::foreign_origin);
  const merkle::PrivateKey* signer = key_for(request);
  if (signer == nullptr) return refuse(Refusal::unknown_key);
  if (request.head.size < known) return refuse(Refusal::shrinking);
  if (request.old_size != known) return refuse(Refusal::conflict);
  const bool follows = known == 0 ? request.proof.empty()
                                  : !merkle::check_consistency(known, request.head.size, last->head.root,
                                                               request.head.root, request.proof);
  const bool is_empty = request.head.size == 0 && request.head.root != merkle::empty_root();
  if (!follows || is_empty) return refuse(Refusal::forked);
  // Times never run backwards, whatever the clock does.
  const Instant time = last ? std::max(now, last->time) : now;
  const merkle::Checkpoint text{request.origin, request.head, merkle::Extensions{time, request.previous}.lines()};
  const merkle::SigningKey key{request.origin, merkle::KeyType::ed25519, *signer};
  const merkle::Note note{text.text(), {key.sign(text.text())}};
  return Approval{note.encode(), Signed{request.head, time}};
}

}  // namespace chancery::seal
