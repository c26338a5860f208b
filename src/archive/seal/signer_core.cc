#include "archive/seal/signer_core.h"

#include <algorithm>

namespace chancery::seal {
namespace {

constexpr std::string_view kPrevious = "previous ";

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
  }
  return "unknown";
}

Buffer SignRequest::encode() const {
  const merkle::Checkpoint text{origin, head, {std::string{kPrevious} + merkle::to_base64(previous)}};
  return merkle::AddCheckpoint{old_size, proof, text.text()}.encode();
}

std::expected<SignRequest, std::error_code> SignRequest::parse(Bytes body) {
  auto request = merkle::AddCheckpoint::parse(body);
  if (!request) return std::unexpected(request.error());
  const auto text = merkle::Checkpoint::parse(request->checkpoint);
  if (!text) return std::unexpected(text.error());
  if (text->extensions.size() != 1 || !text->extensions[0].starts_with(kPrevious) || !merkle::is_key_name(text->origin))
    return std::unexpected(merkle::NoteError::bad_checkpoint);
  const auto previous = merkle::hash_from_base64(std::string_view{text->extensions[0]}.substr(kPrevious.size()));
  if (!previous) return std::unexpected(merkle::NoteError::bad_checkpoint);
  return SignRequest{text->origin, text->head, *previous, request->old_size, std::move(request->proof)};
}

merkle::VerifierKey SignerCore::verifier(const std::string& origin) const {
  return {origin, merkle::KeyType::ed25519, key_.public_key()};
}

// "A log MUST not sign any checkpoint which is inconsistent with any checkpoint it previously signed."
// (tlog-checkpoint)
std::expected<Approval, Refused> SignerCore::sign(const std::optional<Signed>& last, const SignRequest& request,
                                                  Instant now) const {
  const std::uint64_t known = last ? last->head.size : 0;
  const auto refuse = [&](Refusal why) { return std::unexpected(Refused{why, known}); };
  if (!request.origin.starts_with(origin_prefix_)) return refuse(Refusal::foreign_origin);
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
  const merkle::SigningKey key{request.origin, merkle::KeyType::ed25519, key_};
  const merkle::Note note{text.text(), {key.sign(text.text())}};
  return Approval{note.encode(), Signed{request.head, time}};
}

}  // namespace chancery::seal
