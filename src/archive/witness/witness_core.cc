#include "archive/witness/witness_core.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::witness {
namespace {

Answer refuse(unsigned status, std::string why) { return {.status = status, .body = why + "\n", .remember = {}}; }

// "the witness MUST respond with 403 if either no signature from a trusted key for the origin is present, or a
// signature line's key name and ID match a trusted key but the signature itself fails to verify"
bool is_signed(const merkle::Note& note, const WatchedLog& log) {
  bool is_valid = false;
  for (const merkle::VerifierKey& key : log.keys) {
    const merkle::Checked checked = merkle::check(note, key);
    if (checked.state == merkle::Checked::State::invalid) return false;
    is_valid |= checked.is_valid();
  }
  return is_valid;
}

// Our copy of the note: the log's own signatures and our cosignature.
Buffer kept_note(const merkle::Note& note, const WatchedLog& log, const merkle::NoteSignature& cosignature) {
  merkle::Note kept{note.text, {}};
  for (const merkle::NoteSignature& signature : note.signatures)
    if (std::ranges::any_of(
            log.keys, [&](const auto& key) { return key.name == signature.name && key.id() == signature.key_id; }))
      kept.signatures.push_back(signature);
  kept.signatures.push_back(cosignature);
  return kept.encode();
}

bool follows(const merkle::AddCheckpoint& request, const merkle::TreeHead& head, const WatchedLog& log) {
  if (request.old_size == 0) return request.proof.empty() && (head.size != 0 || head.root == merkle::empty_root());
  return !merkle::check_consistency(request.old_size, head.size, log.last->root, head.root, request.proof);
}

}  // namespace

std::optional<std::string> origin_of(const merkle::AddCheckpoint& request) {
  const auto note = merkle::parse_note(request.checkpoint);
  if (!note) return std::nullopt;
  const auto checkpoint = merkle::Checkpoint::parse(note->text);
  return checkpoint ? std::optional{checkpoint->origin} : std::nullopt;
}

Answer decide(const merkle::AddCheckpoint& request, const WatchedLog* log, const merkle::SigningKey& key,
              std::uint64_t time_s) {
  const auto note = merkle::parse_note(request.checkpoint);
  const auto checkpoint = note ? merkle::Checkpoint::parse(note->text) : std::unexpected(note.error());
  if (!checkpoint) return refuse(400, "not a checkpoint");
  if (log == nullptr || log->origin != checkpoint->origin)
    return refuse(404,
                  fmt::format("this witness does not watch the log {}; its operator adds it with `chancery witness "
                              "add-log`",
                              checkpoint->origin));
  if (!is_signed(*note, *log)) return refuse(403, "not validly signed by a key of that log");
  if (request.old_size > checkpoint->head.size) return refuse(400, "the old size is above the checkpoint's");
  const std::uint64_t known = log->last ? log->last->size : 0;
  if (request.old_size != known)
    return {.status = 409, .content_type = "text/x.tlog.size", .body = fmt::format("{}\n", known), .remember = {}};
  if (!follows(request, checkpoint->head, *log))
    return refuse(422, "the checkpoint is not proven to follow the one cosigned before");
  const merkle::NoteSignature cosignature = key.cosign(note->text, time_s);
  WatchedLog next = *log;
  next.last = checkpoint->head;
  next.checkpoint = kept_note(*note, *log, cosignature);
  return {.status = 200, .body = cosignature.line(), .remember = std::move(next)};
}

}  // namespace chancery::witness
