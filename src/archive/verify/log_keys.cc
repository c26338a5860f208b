// LogCheck, third part: who signed, who is believed, and what follows from it.
#include <algorithm>
#include <fmt/format.h>

#include "archive/verify/log_check.h"

namespace chancery::verify {
namespace {

// A witness that was out of reach for so long before the newest checkpoint is no reason to doubt the rest.
constexpr Duration kWitnessLagMax = std::chrono::minutes{15};
constexpr std::size_t kUnsigned = static_cast<std::size_t>(-1);

bool contains(const std::vector<merkle::PublicKey>& keys, const merkle::PublicKey& key) {
  return std::ranges::find(keys, key) != keys.end();
}

}  // namespace

bool LogCheck::is_trusted(const merkle::PublicKey& key) const { return contains(trusted_, key); }

// log.vkey: one vkey a line, newest last, each named after the log.
void LogCheck::read_key_file() {
  const auto octets = input_.files.has_key_file ? read("log.vkey") : std::nullopt;
  if (!octets) {
    if (published() > 0) find(Kind::removed, std::nullopt, "log.vkey", "the log's verifier keys are missing");
  } else {
    for (std::size_t at = 0; at < octets->size();) {
      const auto end = octets->find('\n', at);
      const auto key = end == Buffer::npos ? std::unexpected(make_error_code(merkle::NoteError::bad_key))
                                           : merkle::VerifierKey::parse(Bytes{*octets}.substr(at, end - at));
      if (!key || key->name != input_.origin || key->type != merkle::KeyType::ed25519 ||
          std::ranges::find(keys_, *key) != keys_.end()) {
        find(Kind::altered, std::nullopt, "log.vkey",
             "it holds something that is not another verifier key of this log");
        break;
      }
      at = end + 1;
      keys_.push_back(*key);
      key_prefixes_.push_back(merkle::sha256(Bytes{*octets}.substr(0, at)));
    }
    if (octets->empty()) find(Kind::altered, std::nullopt, "log.vkey", "it is empty");
  }
  // A given key may have signed although its line was taken out of the file.
  for (const merkle::PublicKey& given : anchors_.keys)
    if (std::ranges::find(keys_, given, &merkle::VerifierKey::key) == keys_.end())
      keys_.push_back({input_.origin, merkle::KeyType::ed25519, given});
}

void LogCheck::check_signatures() {
  for (const Published& published : history_.published) {
    std::size_t signer = kUnsigned;
    bool is_bad = false;
    for (std::size_t i = 0; i < keys_.size() && !is_bad; ++i) {
      const merkle::Checked checked = anchors_.check(published.note, keys_[i]);
      is_bad = checked.state == merkle::Checked::State::invalid;
      if (checked.is_valid()) signer = i;
    }
    const std::uint64_t last = published.head.size - 1;
    if (is_bad || signer == kUnsigned) {
      find(anchors_.keys.empty() ? Kind::altered : Kind::resigned, last, "checkpoints",
           fmt::format("the checkpoint of {} records is not validly signed by a key of this log", published.head.size));
      return;
    }
    if (!anchors_.keys.empty() && !is_trusted(keys_[signer].key)) {
      find(
          Kind::resigned, last, "checkpoints",
          fmt::format("the checkpoint of {} records is signed by another key than the given one", published.head.size));
      return;
    }
  }
}

// The given keys; those that signed a checkpoint held outside; and those that a log so believed named as its next, this
// one or an earlier one of the node.
void LogCheck::trust_keys() {
  trusted_ = anchors_.keys;
  trusted_.insert(trusted_.end(), vouched_.begin(), vouched_.end());
  for (const HeldCheckpoint& held : anchors_.since)
    for (const merkle::VerifierKey& key : keys_)
      if (held.origin == input_.origin && anchors_.check(held.note, key).is_valid()) trusted_.push_back(key.key);
  for (std::size_t i = 0; i < key_prefixes_.size(); ++i) {
    if (is_trusted(keys_[i].key)) continue;
    const auto added = std::ranges::find(key_files_, key_prefixes_[i], &Expected::hash);
    if (added == key_files_.end()) continue;
    const bool is_vouched = std::ranges::any_of(history_.published, [&](const Published& published) {
      return published.head.size > added->index && std::ranges::any_of(keys_, [&](const merkle::VerifierKey& key) {
               return is_trusted(key.key) && anchors_.check(published.note, key).is_valid();
             });
    });
    if (!is_vouched) continue;
    trusted_.push_back(keys_[i].key);
    vouched_.push_back(keys_[i].key);
    report_.notes.push_back(fmt::format("{}: record {} names the signing key {} as the next, under the one before",
                                        input_.origin, added->index, keys_[i].vkey()));
  }
}

// The file must be the one that the newest key record names; without such a record each of its keys must have signed.
void LogCheck::check_key_file() {
  if (key_prefixes_.empty() || is_cut_ || published() == 0) return;
  const Hash& whole = key_prefixes_.back();
  std::optional<Expected> newest;
  bool is_named = false;
  for (const Expected& expected : key_files_) {
    if (expected.index < published()) newest = expected;
    if (expected.index >= published() && expected.hash == whole) is_named = true;
  }
  if (newest ? newest->hash == whole || is_named : is_named) return;
  if (newest) return find(Kind::altered, newest->index, "log.vkey", "it is not the key file that the log names");
  for (std::size_t i = 0; i < key_prefixes_.size(); ++i)
    if (std::ranges::none_of(history_.published, [&](const Published& published) {
          return anchors_.check(published.note, keys_[i]).is_valid();
        }))
      return find(Kind::altered, std::nullopt, "log.vkey", "it holds a key that signed nothing");
}

void LogCheck::check_witnesses() {
  for (const merkle::VerifierKey& witness : anchors_.witnesses) {
    std::uint64_t seen = 0;
    for (const Published& published : history_.published) {
      const merkle::Checked checked = anchors_.check(published.note, witness);
      const std::uint64_t last = published.head.size - 1;
      if (checked.state == merkle::Checked::State::invalid)
        find(Kind::altered, last, "checkpoints", fmt::format("a cosignature of {} does not verify", witness.name));
      if (!checked.is_valid()) continue;
      seen = published.head.size;
      const Instant time = from_unix_ns(static_cast<std::int64_t>(checked.time_s) * 1'000'000'000);
      if (time + anchors_.tolerance < published.time || time - anchors_.tolerance > published.time)
        find(Kind::backdated, last, "checkpoints",
             fmt::format("it says it was signed at {}, the witness {} saw it at {}", to_rfc3339(published.time),
                         witness.name, to_rfc3339(time)));
      if (log_.witnessed >= seen) continue;
      log_.witnessed = seen;
      log_.witnessed_time = time;
    }
    if (seen == 0 && published() > 0)
      find(Kind::resigned, published() - 1, "checkpoints",
           fmt::format("no checkpoint bears a cosignature of {}: this is not what that witness saw", witness.name));
  }
}

void LogCheck::conclude() {
  log_.published = published();
  log_.checkpoints = history_.published.size();
  if (!history_.published.empty()) {
    const Published& newest = history_.published.back();
    log_.published_time = newest.time;
    const bool is_signed = std::ranges::any_of(keys_, [&](const merkle::VerifierKey& key) {
      return is_trusted(key.key) && anchors_.check(newest.note, key).is_valid();
    });
    log_.anchored = is_signed ? published() : log_.witnessed;
    for (const auto& [size, root] : held_roots_) log_.anchored = std::max(log_.anchored, size);
    const bool is_recent = log_.witnessed_time && *log_.witnessed_time + kWitnessLagMax > newest.time;
    log_.is_anchored = log_.anchored == published() || is_recent;
  }
  report_.logs.push_back(log_);
}

}  // namespace chancery::verify
