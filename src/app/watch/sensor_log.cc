#include "app/watch/sensor_log.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <pwd.h>
#include <unistd.h>

#include "app/context.h"
#include "app/serve/keys.h"
#include "app/watch/open_log.h"
#include "archive/seal/signer_process.h"

namespace chancery::app::watch {

class SensorLog::Open : public OpenLog {
 public:
  using OpenLog::OpenLog;
};

namespace {

namespace fs = std::filesystem;

// Folders that are missing, for whom the process will be. What is there stays whose it is.
void make_folder(const fs::path& folder, const std::string& user) {
  std::error_code error;
  if (fs::exists(folder, error)) return;
  fs::create_directories(folder, error);
  if (error) throw Failure(fmt::format("archive: {}: {}", folder.string(), error.message()));
  fs::permissions(folder, fs::perms::owner_all, error);
  if (::geteuid() != 0) return;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) throw Failure(fmt::format("user: there is no user '{}' to run as", user));
  if (::lchown(folder.c_str(), entry->pw_uid, entry->pw_gid) != 0)
    throw Failure(fmt::format("archive: {}: {}", folder.string(), std::generic_category().message(errno)));
}

void check_writable(const fs::path& folder) {
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) == 0) return;
  const int why = errno;
  const passwd* entry = ::getpwuid(::geteuid());
  const std::string user = entry != nullptr ? std::string{entry->pw_name} : fmt::to_string(::geteuid());
  throw Failure(
      fmt::format("archive: {0} cannot be written by {1}, as whom the sensor runs: {2}. `chown -R {1} {0}`, or "
                  "name another `user`",
                  folder.string(), user, std::generic_category().message(why)));
}

}  // namespace

SensorLog::SensorLog(const gateway::Config& config, const std::string& user, net::Log& log,
                     std::chrono::milliseconds reopen_every)
    : config_(config), log_(log), reopen_every_(reopen_every), keys_(open_keys(config.keys)) {
  for (const auto& folder : {config.archive, config.index, config.state}) make_folder(folder, user);
}

SensorLog::~SensorLog() { close(now_); }

void SensorLog::open(Instant now) {
  now_ = now;
  for (const auto& folder : {config_.archive, config_.index, config_.state, config_.keys}) check_writable(folder);
  load_lost();
  open_ = std::make_unique<Open>(config_, keys_, log_, now);
  open_->recorder().lost() = std::exchange(lost_, {});
}

Lost& SensorLog::lost() { return open_ ? open_->recorder().lost() : lost_; }

void SensorLog::lose(Instant time) {
  lost_.add(time, "the journal had failed");
  ++lost_ever_;
}

// The journal takes nothing more. What it had taken and not made durable is lost, too.
void SensorLog::failed(Instant now) {
  const std::uint64_t durable = open_->journal().durable_size();
  const std::uint64_t pending = open_->journal().next_index() - durable;
  Lost gap = std::exchange(open_->recorder().lost(), {});
  for (std::uint64_t i = 0; i < pending; ++i) gap.add(now, "");
  gap.why = "the journal failed";
  lost_ever_ += pending;
  before_.recorded += open_->recorder().counts().recorded;
  before_.deliveries += open_->recorder().counts().deliveries;
  log_.alarm("the journal failed: what is read is not recorded, watching goes on",
             {{"durable", durable}, {"again_in_ms", reopen_every_.count()}});
  open_.reset();
  lost_ = gap;
  reopen_at_ = std::chrono::steady_clock::now() + reopen_every_;
}

void SensorLog::after(bool taken, Instant now) {
  if (!taken) failed(now);
}

void SensorLog::message(const sensor::SeenMessage& message) {
  if (!open_) return lose(message.time);
  after(open_->recorder().message(message, now_), now_);
}

void SensorLog::event(const sensor::SeenEvent& event) {
  if (!open_) return lose(event.time);
  after(open_->recorder().event(event, now_), now_);
}

void SensorLog::credential(const sensor::SeenCredential& credential) {
  if (!open_) return lose(credential.time);
  after(open_->recorder().credential(credential, now_), now_);
}

void SensorLog::turn(Instant now) {
  now_ = now;
  if (open_) {
    if (open_->recorder().flush(now)) log_.warning("what was lost to the record is on it as a gap");
  } else if (std::chrono::steady_clock::now() >= reopen_at_) {
    try {
      open(now);
    } catch (const std::exception& error) {
      reopen_at_ = std::chrono::steady_clock::now() + reopen_every_;
      log_.error("the journal cannot be opened again", {{"error", error.what()}});
    }
  }
}

void SensorLog::heartbeat(std::string detail, Instant now) {
  if (open_) open_->recorder().heartbeat(std::move(detail), now);
  save_lost();
}

void SensorLog::close(Instant now) {
  if (open_) {
    (void)open_->recorder().flush(now);
    open_->close();
  }
  save_lost();
  if (!open_) return;
  before_.recorded += open_->recorder().counts().recorded;
  before_.deliveries += open_->recorder().counts().deliveries;
  open_.reset();
}

SensorLog::Status SensorLog::status() const {
  Status status;
  status.recorded = before_.recorded;
  status.deliveries = before_.deliveries;
  status.lost = lost_ever_;
  status.unsaid = lost_.count;
  status.is_open = open_ != nullptr;
  if (!open_) return status;
  status.recorded += open_->recorder().counts().recorded;
  status.deliveries += open_->recorder().counts().deliveries;
  status.unsaid = open_->recorder().lost().count;
  status.durable = open_->journal().durable_size();
  status.published = open_->published();
  status.indexed = open_->indexed();
  return status;
}

// --- what the next start must say, should this one not come to it: "count first last", times in nanoseconds

fs::path SensorLog::lost_file() const { return config_.state / fmt::format("sensor.{}.lost", config_.node); }

void SensorLog::save_lost() {
  const Lost& now = lost();
  if (now.count == saved_lost_) return;
  saved_lost_ = now.count;
  std::error_code error;
  if (now.count == 0) {
    fs::remove(lost_file(), error);
    return;
  }
  std::ofstream{lost_file(), std::ios::trunc} << now.count << ' ' << unix_ns(now.first) << ' ' << unix_ns(now.last)
                                              << '\n';
}

void SensorLog::load_lost() {
  if (lost_.count > 0) return;
  std::int64_t first = 0, last = 0;
  std::uint64_t count = 0;
  if (std::ifstream in{lost_file()}; !(in >> count >> first >> last)) return;
  lost_ = {count, from_unix_ns(first), from_unix_ns(last), "the journal had failed before an earlier end"};
  saved_lost_ = count;
}

}  // namespace chancery::app::watch
