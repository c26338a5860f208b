#include "app/serve/checkpoint_keys.h"

#include <algorithm>
#include <fmt/format.h>

#include "app/context.h"
#include "app/serve/own_records.h"
#include "journal/reader.h"
#include "merkle/checkpoint.h"

namespace chancery::app::serve {
namespace {

constexpr std::uint64_t kKeyFileSizeMax = 64U << 10;  // octets of log.vkey

Buffer text_of(const std::vector<merkle::VerifierKey>& keys) {
  Buffer text;
  for (const auto& key : keys) text += key.vkey() + "\n";
  return text;
}

}  // namespace

void Durability::on_durable(std::span<const journal::Durable> group) {
  if (group.empty()) return;
  const std::lock_guard lock{mutex_};
  size_ = group.back().index + 1;
  news_.notify_all();
}

void Durability::on_failed(std::error_code, std::uint64_t) {
  const std::lock_guard lock{mutex_};
  failed_ = true;
  news_.notify_all();
}

bool Durability::wait(std::uint64_t size) {
  std::unique_lock lock{mutex_};
  news_.wait(lock, [&] { return failed_ || size_ >= size; });
  return size_ >= size;
}

std::vector<merkle::VerifierKey> CheckpointKeys::known() const {
  const auto octets = journal::read_file(journal::posix_disk(), file(), kKeyFileSizeMax);
  if (!octets && octets.error() == std::errc::no_such_file_or_directory) return {};
  if (!octets) throw Failure(fmt::format("cannot read {}: {}", file(), octets.error().message()));
  std::vector<merkle::VerifierKey> keys;
  for (std::size_t at = 0; at < octets->size();) {
    const auto end = std::min(octets->find('\n', at), octets->size());
    const auto key = merkle::VerifierKey::parse(Bytes{*octets}.substr(at, end - at));
    if (!key)
      throw Failure(fmt::format("{} holds something that is no verifier key; `chancery verify` says more", file()));
    keys.push_back(*key);
    at = end + 1;
  }
  return keys;
}

void CheckpointKeys::write(const Buffer& text) const {
  if (const auto error = journal::write_file_durably(journal::posix_disk(), file(), text))
    throw Failure(fmt::format("cannot write {}: {}", file(), error.message()));
}

// A log's first key needs no record: it signs the checkpoints from the first on.
void CheckpointKeys::begin(const merkle::VerifierKey& first) { write(text_of({first})); }

// The record first and the file after it, both before the next checkpoint: whenever this stops, `verify` finds a file
// that fits what is published, and the next start goes on.
void CheckpointKeys::take_up(journal::Journal& journal, journal::Recovery& recovery, Durability& durability,
                             Instant now) {
  const auto held = signer_.verifiers(origin_);
  if (!held) {
    log_.warning("the signer does not answer; records are kept, checkpoints will follow",
                 {{"problem", held.error().what}});
    return;
  }
  for (const auto& key : *held) held_.push_back(key.vkey());
  auto keys = known();
  if (keys.empty()) begin(held->front()), keys.push_back(held->front());
  const auto is_held = [&](const merkle::VerifierKey& key) { return std::ranges::find(*held, key) != held->end(); };
  if (!is_held(keys.back()))
    throw Failure(fmt::format(
        "{} names another checkpoint key than the signer holds. Give the signer the key that it names; another key is "
        "taken up with `chancery keys rotate --signer-key FILE` only",
        file()));
  const merkle::VerifierKey next = held->back();
  if (std::ranges::find(keys, next) != keys.end()) return;
  const merkle::VerifierKey before = keys.back();
  keys.push_back(next);
  const Hash file_hash = merkle::sha256(text_of(keys));
  if (!record_of(file_hash)) {
    const journal::OwnRecord own{journal.next_index(), now, journal.log_conversation(), recovery.log_sequence++};
    journal::Entry entry;
    entry.type = LeafType::key_added;
    entry.time = now;
    entry.conversation = own.conversation;
    entry.conversation_sequence = own.conversation_sequence;
    entry.second = file_hash;
    entry.payload = key_record(
        fmt::format("checkpoint key {} follows {}: it signs once this record is published", next.vkey(), before.vkey()),
        own);
    const auto index = journal.append(std::move(entry));
    if (!index || !durability.wait(*index + 1))
      throw Failure("the journal failed before the new checkpoint key was on record");
  }
  write(text_of(keys));
  log_.info("a new checkpoint key is on the record", {{"key", next.vkey()}});
}

// A search of the whole log, only while a rotation is under way.
std::optional<std::uint64_t> CheckpointKeys::record_of(const Hash& key_file) const {
  auto reader = journal::Reader::open(journal::posix_disk(), folder_, nullptr);
  if (!reader) return std::nullopt;
  reader->set_limit_none();
  while (true) {
    const auto record = reader->next();
    if (!record || !*record) return std::nullopt;
    if ((*record)->leaf.type == LeafType::key_added && (*record)->leaf.second == key_file) return (*record)->index;
  }
}

bool CheckpointKeys::newest_is_signed_by(const merkle::VerifierKey& key) const {
  const auto octets = journal::read_file(journal::posix_disk(), folder_ + "/checkpoint", merkle::kNoteSizeMax);
  const auto note = octets ? merkle::parse_note(*octets) : std::unexpected(octets.error());
  return note && merkle::check(*note, key).is_valid();
}

std::expected<std::vector<seal::KeyTurn>, std::string> CheckpointKeys::turns() {
  try {
    auto keys = known();
    if (keys.empty()) {  // the signer did not answer when the log began
      const auto held = signer_.verifiers(origin_);
      if (!held) return std::unexpected(held.error().what);
      begin(held->front());
      keys.push_back(held->front());
    }
    const std::uint32_t newest = keys.back().id();
    if (keys.size() == 1 || newest_is_signed_by(keys.back())) return std::vector<seal::KeyTurn>{{newest, 0}};
    std::vector<seal::KeyTurn> turns{{keys[keys.size() - 2].id(), 0}};
    if (const auto index = record_of(merkle::sha256(text_of(keys)))) turns.push_back({newest, *index + 1});
    return turns;
  } catch (const Failure& failure) {
    return std::unexpected(failure.what());
  }
}

}  // namespace chancery::app::serve
