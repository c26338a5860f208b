#include "app/watch/sensor_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <pwd.h>
#include <random>
#include <unistd.h>

#include "app/end_signals.h"
#include "app/watch/hosts_input.h"
#include "app/watch/sensor_log.h"
#include "net/log.h"
#include "sensor/capture/live.h"
#include "sensor/capture/rights.h"
#include "sensor/classify/decider.h"
#include "sensor/enforce/block_list.h"
#include "sensor/enforce/raw_sender.h"
#include "sensor/enforce/traffic.h"
#include "sensor/sensor.h"

namespace chancery::app::watch {
namespace {

namespace fs = std::filesystem;
using sensor::BlockEntry;
using sensor::BlockState;
using sensor::StopEvent;

constexpr std::chrono::milliseconds kTick{250};

Instant now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// Made while there is the right to, for the user that the process will be.
void prepare_folder(const SensorConfig& config) {
  std::error_code error;
  fs::create_directories(config.folder, error);
  if (error) throw Failure(fmt::format("{}: {}", config.folder.string(), error.message()));
  fs::permissions(config.folder, fs::perms::owner_all, error);
  if (::geteuid() != 0) return;
  const passwd* user = ::getpwnam(config.user.c_str());
  if (user == nullptr) throw Failure(fmt::format("user: there is no user '{}' to run as", config.user));
  std::vector<fs::path> owned{config.folder};
  for (const auto& entry : fs::directory_iterator(config.folder))
    if (entry.is_regular_file() && entry.path().filename().string().starts_with("blocks.db"))
      owned.push_back(entry.path());
  for (const fs::path& path : owned)
    if (::lchown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
      throw Failure(fmt::format("{}: {}", path.string(), std::generic_category().message(errno)));
}

class SensorProcess {
 public:
  SensorProcess(const SensorConfig& config, net::Log& log)
      : config_(config), log_(log), hosts_(load_hosts(config.hosts)), collector_(hosts_) {
    prepare_folder(config);
    if (config.archive) record_.emplace(*config.archive, config.user, log);
    auto capture = sensor::LiveCapture::open({.interface = config.interface,
                                              .ring_size = config.ring_size,
                                              .snap_length = config.snap_length,
                                              .promiscuous = config.promiscuous});
    if (!capture) throw Failure(capture.error());
    capture_.emplace(std::move(*capture));
    if (config.sends()) {
      auto sender = sensor::RawSender::open(config.send_from);
      if (!sender) throw Failure(sender.error());
      sender_.emplace(std::move(*sender));
    }
    if (const auto rights = sensor::drop_rights(config.user); !rights) throw Failure(rights.error());
    // Its threads and the signer are started now, so that they have no rights either.
    if (record_) record_->open(now());
    list_.emplace(sensor::BlockList::open(config.folder, false));
    make_sensor();
  }

  void run() {
    log_.info("watching", {{"interface", config_.interface}, {"resets", config_.sends() ? "yes" : "no"}});
    std::array<pollfd, 2> waits{{{capture_->descriptor(), POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}}};
    auto report_at = std::chrono::steady_clock::now() + config_.report_every;
    while ((waits[1].revents & POLLIN) == 0) {
      if (::poll(waits.data(), waits.size(), wait_ms(now())) < 0 && errno != EINTR) break;
      if (const auto read = capture_->read([&](const sensor::Frame& frame) { sensor_->frame(frame); }); !read)
        throw Failure(read.error(), Exit::wrong);
      sensor_->tick(now());
      if (record_) record_->turn(now());
      stopper_->settle(now());
      if (std::chrono::steady_clock::now() < report_at) continue;
      report_at += config_.report_every;
      report();
    }
    sensor_->finish();
    report();
    if (record_) record_->close(now());
    log_.info("stopped", {{"packets", sensor_->summary().packets()}});
  }

 private:
  void make_sensor() {
    sensor::DeciderOptions deciding;
    deciding.hosts = &hosts_;
    sensor::Sensor::Options options;
    std::random_device device;
    options.flows.seed = std::uint64_t{device()} << 32U | device();
    options.summary.flows = options.summary.messages = options.summary.urls = false;
    options.summary.gateways = config_.gateways;
    options.also = record_ ? &*record_ : nullptr;
    sensor_.emplace(options, sensor::make_decider(deciding));
    stopper_.emplace(config_.stopping,
                     sensor::Stopper::Hands{.send = [this](Bytes packet) { return sender_ && sender_->send(packet); },
                                            .allowed = [this] { return !is_switched_off(); },
                                            .tell = [this](const StopEvent& event) { tell(event); }});
    sensor_->watch(*stopper_);
    sensor_->watch(collector_);
  }

  // Until the stopper wants to try something again, at most a tick.
  int wait_ms(Instant time) const {
    if (stopper_->next_try() <= time) return 0;
    const auto wait =
        std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(stopper_->next_try() - time, kTick));
    return static_cast<int>(wait.count());
  }

  // A switch that cannot be looked at (its folder was closed) counts as thrown: it must not fail towards sending.
  bool is_switched_off() const {
    return !config_.kill_switch.empty() && (::access(config_.kill_switch.c_str(), F_OK) == 0 || errno != ENOENT);
  }

  void tell(const StopEvent& event) {
    const auto level = event.what == StopEvent::What::failed ? net::Level::warning : net::Level::info;
    log_.write(level, sensor::to_string(event.what),
               {{"application", event.application},
                {"category", sensor::to_string(event.category)},
                {"transport", sensor::to_string(event.transport)},
                {"client", event.client.text()},
                {"server", event.server.text()},
                {"evidence", event.evidence},
                {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(event.took).count()}});
  }

  // A block list that cannot be written must not stop the watching: it is said, and tried again with the next rows.
  void report() {
    const sensor::StopCounts& stops = stopper_->counts();
    const auto counts = capture_->counts();
    log_.info("so far", {{"packets", sensor_->summary().packets()},
                         {"dropped", counts.dropped + counts.interface_dropped},
                         {"alerts", stops.alerts},
                         {"stopped", stops.stopped},
                         {"ended", stops.ended},
                         {"failed", stops.failed},
                         {"sent", stops.packets},
                         {"held_back", stops.limited + stops.switched}});
    if (counts.dropped > dropped_)
      log_.warning("packets were lost: the ring was full", {{"packets", counts.dropped - dropped_}});
    dropped_ = counts.dropped;
    report_record();
    try {
      const Instant time = now();
      list_->remember(collector_.take());
      list_->expire(time);
      const auto traffic = list_->traffic();
      const std::size_t added = list_->add(sensor::propose(traffic, config_.wish, time).entries);
      if (added > 0) log_.info("proposed for the block list", {{"entries", added}});
      approve(traffic, time);
    } catch (const sensor::BlockListError& error) {
      log_.error(error.what());
    }
  }

  void report_record() {
    if (!record_) return;
    const SensorLog::Status status = record_->status();
    log_.write(status.is_open ? net::Level::info : net::Level::error,
               status.is_open ? "on record" : "nothing is recorded: the journal failed",
               {{"recorded", status.recorded},
                {"deliveries", status.deliveries},
                {"lost", status.lost},
                {"not_said_yet", status.unsaid},
                {"durable", status.durable},
                {"published", status.published},
                {"indexed", status.indexed}});
    const sensor::Summary& summary = sensor_->summary();
    record_->heartbeat(
        fmt::format("seen: {} packets, {} dropped, {} messages, {} legs, {} credentials", summary.packets(), dropped_,
                    summary.messages_seen(), summary.message_legs(), summary.credentials_seen()),
        now());
  }

  void approve(std::span<const sensor::Seen> traffic, Instant time) {
    if (config_.auto_approve.empty()) return;
    for (const BlockEntry& entry : list_->entries()) {
      if (entry.state != BlockState::proposed) continue;
      const auto rule = std::ranges::find_if(config_.auto_approve, [&](const auto& each) { return each.fits(entry); });
      if (rule == config_.auto_approve.end()) continue;
      if (sensor::simulate(entry.target, traffic, config_.wish).innocent_flows > 0) continue;
      list_->decide(entry.id, BlockState::approved, "rule", time, time + rule->expires);
      log_.info("approved by rule", {{"entry", entry.id}, {"target", entry.target.text()}});
    }
  }

  const SensorConfig& config_;
  net::Log& log_;
  const EndSignals signals_;  // before any thread is started
  const sensor::Hosts hosts_;
  std::optional<sensor::LiveCapture> capture_;
  std::optional<sensor::RawSender> sender_;
  std::optional<sensor::BlockList> list_;
  std::uint64_t dropped_ = 0;
  sensor::TrafficCollector collector_;
  std::optional<sensor::Stopper> stopper_;
  std::optional<SensorLog> record_;
  std::optional<sensor::Sensor> sensor_;  // last: it ends its flows before those who watch them
};

}  // namespace

Exit run_sensor(const Context& context, const SensorConfig& config) {
  net::Log log{STDERR_FILENO, context.json ? net::Log::Form::json : net::Log::choose_form(STDERR_FILENO)};
  SensorProcess{config, log}.run();
  return Exit::ok;
}

}  // namespace chancery::app::watch
