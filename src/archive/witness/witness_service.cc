#include "archive/witness/witness_service.h"

#include <algorithm>
#include <fmt/format.h>

#include "core/encoding.h"

namespace chancery::witness {
namespace {

constexpr std::uint64_t kLogFileSizeMax = 256U << 10;  // octets
constexpr std::string_view kSuffix = ".log";
constexpr std::string_view kAddition = ".add";
constexpr Duration kLookInterval = std::chrono::seconds{1};

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
  for (const std::string& name : *names) {
    if (!name.ends_with(kAddition)) continue;
    const auto additions = service.read_additions(name);
    if (!additions) return std::unexpected(additions.error());
    for (const auto& added : *additions) {
      if (service.knows(added)) continue;
      if (const auto fits = service.check_addition(added); !fits) return std::unexpected(fits.error());
      WatchedLog& log = service.logs_[added.name];
      log.origin = added.name;
      log.keys.push_back(added);
    }
  }
  return service;
}

bool WitnessService::knows(const merkle::VerifierKey& key) const {
  const auto found = logs_.find(key.name);
  return found != logs_.end() && std::ranges::find(found->second.keys, key) != found->second.keys.end();
}

std::expected<void, std::string> WitnessService::check_addition(const merkle::VerifierKey& key) const {
  if (key.type != merkle::KeyType::ed25519)
    return std::unexpected("this is a witness's key; expected a log's verifier key (log.vkey in its archive)");
  if (!logs_.contains(key.name) && logs_.size() >= kWatchedLogsMax) return std::unexpected("too many logs");
  return {};
}

std::expected<std::vector<merkle::VerifierKey>, std::string> WitnessService::read_additions(
    const std::string& name) const {
  const auto octets = journal::read_file(*disk_, folder_ + "/" + name, kLogFileSizeMax);
  if (!octets) return std::unexpected(fmt::format("{}/{}: {}", folder_, name, octets.error().message()));
  std::vector<merkle::VerifierKey> keys;
  for (std::size_t at = 0; at < octets->size();) {
    const auto end = std::min(octets->find('\n', at), octets->size());
    const auto key = merkle::VerifierKey::parse(Bytes{*octets}.substr(at, end - at));
    if (!key) return std::unexpected(fmt::format("{}/{}: not a log's verifier key", folder_, name));
    keys.push_back(*key);
    at = end + 1;
  }
  return keys;
}

std::expected<std::size_t, std::string> WitnessService::settle() {
  const auto names = disk_->list(folder_);
  if (!names) return std::unexpected(fmt::format("{}: {}", folder_, names.error().message()));
  std::size_t added = 0;
  for (const std::string& name : *names) {
    if (!name.ends_with(kAddition)) continue;
    const auto keys = read_additions(name);
    if (!keys) return std::unexpected(keys.error());
    for (const auto& key : *keys) {
      if (!knows(key)) ++added;
      if (const auto done = watch(key); !done) return std::unexpected(done.error());
    }
    // Once more after a crash does no harm.
    if (const auto error = disk_->remove(folder_ + "/" + name))
      return std::unexpected(fmt::format("{}/{}: {}", folder_, name, error.message()));
  }
  return added;
}

std::expected<void, std::string> WitnessService::leave(journal::Disk& disk, const std::string& folder,
                                                       const std::string& name,
                                                       const std::vector<merkle::VerifierKey>& keys) {
  Buffer octets;
  for (const auto& key : keys) {
    if (key.type != merkle::KeyType::ed25519)
      return std::unexpected("this is a witness's key; expected a log's verifier key (log.vkey in its archive)");
    octets += key.vkey() + "\n";
  }
  if (const auto error = journal::write_file_durably(disk, folder + "/" + name + std::string{kAddition}, octets))
    return std::unexpected(folder + ": " + error.message());
  return {};
}

bool WitnessService::look_again() {
  const Instant now = clock_();
  if (looked_ && now >= *looked_ && now < *looked_ + kLookInterval) return false;
  looked_ = now;
  const auto added = settle();
  return added && *added > 0;
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
  if (const auto fits = check_addition(log_key); !fits) return fits;
  WatchedLog log = logs_[log_key.name];
  log.origin = log_key.name;
  if (std::ranges::find(log.keys, log_key) == log.keys.end()) log.keys.push_back(log_key);
  if (const auto error = store(log)) return std::unexpected(folder_ + ": " + error.message());
  logs_[log_key.name] = std::move(log);
  return {};
}

Answer WitnessService::add_checkpoint(Bytes body) {
  const auto request = merkle::AddCheckpoint::parse(body);
  Answer answer{.status = 400, .body = "not an add-checkpoint request\n", .remember = {}};
  if (request) {
    answer = decide_on(*request);
    const bool may_be_new = answer.status == 404 || answer.status == 403;
    if (may_be_new && look_again()) answer = decide_on(*request);
  }
  ++answers_[answer.status];
  return answer;
}

Answer WitnessService::decide_on(const merkle::AddCheckpoint& request) {
  const auto origin = origin_of(request);
  const auto found = origin ? logs_.find(*origin) : logs_.end();
  const auto time_s = std::chrono::duration_cast<std::chrono::seconds>(clock_().time_since_epoch()).count();
  Answer answer =
      decide(request, found == logs_.end() ? nullptr : &found->second, key_, static_cast<std::uint64_t>(time_s));
  if (!answer.remember) return answer;
  // "The witness MUST persist the new checkpoint before responding."
  if (store(*answer.remember)) return {.status = 500, .body = "the witness cannot write its state\n", .remember = {}};
  found->second = *answer.remember;
  return answer;
}

Answer WitnessService::checkpoint(std::string_view origin_hash) const {
  for (const auto& [origin, log] : logs_) {
    if (name_of(origin) != origin_hash) continue;
    if (!log.checkpoint.empty()) return {.body = log.checkpoint, .remember = {}};
    return {.status = 404,
            .body = "this witness watches that log, and has not been shown a checkpoint of it yet\n",
            .remember = {}};
  }
  return {.status = 404, .body = "this witness does not watch a log of that origin\n", .remember = {}};
}

std::string WitnessService::metrics() const {
  std::string out =
      "# HELP chancery_witness_requests_total Answers to add-checkpoint, by HTTP status; 200: cosigned.\n"
      "# TYPE chancery_witness_requests_total counter\n";
  for (const auto& [status, count] : answers_)
    out += fmt::format("chancery_witness_requests_total{{status=\"{}\"}} {}\n", status, count);
  out += fmt::format(
      "# HELP chancery_witness_logs Logs that are watched.\n# TYPE chancery_witness_logs gauge\n"
      "chancery_witness_logs {}\n"
      "# HELP chancery_witness_log_size Records under the checkpoint that was cosigned last.\n"
      "# TYPE chancery_witness_log_size gauge\n",
      logs_.size());
  for (const auto& [origin, log] : logs_) {
    std::string label;
    for (const char c : origin) label += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    out += fmt::format("chancery_witness_log_size{{log=\"{}\"}} {}\n", label, log.last ? log.last->size : 0);
  }
  return out;
}

}  // namespace chancery::witness
