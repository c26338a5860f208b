#include "archive/witness/witness_service.h"

#include <algorithm>
#include <fmt/format.h>

#include "core/encoding.h"

namespace chancery::witness {
namespace {

constexpr std::uint64_t kLogFileSizeMax = 256U << 10;  // octets
constexpr std::string_view kSuffix = ".log";

std::string name_of(std::string_view origin) { return to_hex(bytes_of(merkle::sha256(origin))); }

}  // namespace

std::expected<WitnessService, std::string> WitnessService::open(journal::Disk& disk, std::string folder,
                                                                merkle::SigningKey key,
                                                                std::function<Instant()> clock) {
  WitnessService service{disk, std::move(folder), std::move(key), std::move(clock)};
  const auto names = disk.list(service.folder_);
  if (!names) return std::unexpected(fmt::format("{}: {}", service.folder_, names.error().message()));
  for (const std::string& name : *names) {
    if (!name.ends_with(kSuffix)) continue;
    auto log = service.read(name);
    if (!log) return std::unexpected(fmt::format("{}/{}: {}", service.folder_, name, log.error()));
    const std::string origin = log->origin;
    service.logs_[origin] = std::move(*log);
  }
  return service;
}

std::expected<WatchedLog, std::string> WitnessService::read(const std::string& name) const {
  const auto octets = journal::read_file(*disk_, folder_ + "/" + name, kLogFileSizeMax);
  if (!octets) return std::unexpected(octets.error().message());
  const auto end = octets->find("\n\n");
  if (end == Buffer::npos) return std::unexpected("not a witness's log file: no empty line after the keys");
  WatchedLog log;
  for (std::size_t at = 0; at <= end;) {
    const auto next = octets->find('\n', at);
    const auto key = merkle::VerifierKey::parse(Bytes{*octets}.substr(at, next - at));
    if (!key) return std::unexpected("not a witness's log file: not a verifier key");
    log.keys.push_back(*key);
    at = next + 1;
  }
  log.origin = log.keys.front().name;
  if (name != name_of(log.origin) + std::string{kSuffix}) return std::unexpected("it is another log's file");
  log.checkpoint = octets->substr(end + 2);
  if (log.checkpoint.empty()) return log;
  const auto note = merkle::parse_note(log.checkpoint);
  const auto checkpoint = note ? merkle::Checkpoint::parse(note->text) : std::unexpected(note.error());
  if (!checkpoint || checkpoint->origin != log.origin || !merkle::check(*note, key_.verifier()).is_valid())
    return std::unexpected("the checkpoint in it is not one that this witness cosigned");
  log.last = checkpoint->head;
  return log;
}

std::error_code WitnessService::store(const WatchedLog& log) {
  Buffer octets;
  for (const merkle::VerifierKey& key : log.keys) octets += key.vkey() + "\n";
  octets += "\n" + log.checkpoint;
  return journal::write_file_durably(*disk_, folder_ + "/" + name_of(log.origin) + std::string{kSuffix}, octets);
}

std::expected<void, std::string> WitnessService::watch(const merkle::VerifierKey& log_key) {
  if (log_key.type != merkle::KeyType::ed25519)
    return std::unexpected("this is a witness's key; expected a log's verifier key (log.vkey in its archive)");
  if (!logs_.contains(log_key.name) && logs_.size() >= kWatchedLogsMax) return std::unexpected("too many logs");
  WatchedLog log = logs_[log_key.name];
  log.origin = log_key.name;
  if (std::ranges::find(log.keys, log_key) == log.keys.end()) log.keys.push_back(log_key);
  if (const auto error = store(log)) return std::unexpected(folder_ + ": " + error.message());
  logs_[log_key.name] = std::move(log);
  return {};
}

Answer WitnessService::add_checkpoint(Bytes body) {
  const auto request = merkle::AddCheckpoint::parse(body);
  if (!request) return {.status = 400, .body = "not an add-checkpoint request\n", .remember = {}};
  const auto origin = origin_of(*request);
  const auto found = origin ? logs_.find(*origin) : logs_.end();
  const auto time_s = std::chrono::duration_cast<std::chrono::seconds>(clock_().time_since_epoch()).count();
  Answer answer =
      decide(*request, found == logs_.end() ? nullptr : &found->second, key_, static_cast<std::uint64_t>(time_s));
  if (!answer.remember) return answer;
  // "The witness MUST persist the new checkpoint before responding."
  if (store(*answer.remember)) return {.status = 500, .body = "the witness cannot write its state\n", .remember = {}};
  found->second = *answer.remember;
  return answer;
}

Answer WitnessService::checkpoint(std::string_view origin_hash) const {
  for (const auto& [origin, log] : logs_)
    if (!log.checkpoint.empty() && name_of(origin) == origin_hash) return {.body = log.checkpoint, .remember = {}};
  return {.status = 404, .body = "no checkpoint of that log\n", .remember = {}};
}

}  // namespace chancery::witness
