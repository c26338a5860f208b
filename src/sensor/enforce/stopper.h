#pragma once
// Stops flows that policy wants stopped: resets for TCP, ICMP unreachable for UDP. Off the data path: what it sends
// races with the peers. Bounded in everything it holds; a rate limit and a switch stand before each packet.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sensor/enforce/network.h"
#include "sensor/enforce/reset.h"
#include "sensor/flow/flow_watcher.h"

namespace chancery::sensor {

enum class StopAction : std::uint8_t { observe, alert, reset };
std::string_view to_string(StopAction action);

// The first rule that fits says what is done. An empty list fits all.
struct StopRule {
  std::vector<std::string> applications;
  std::vector<Category> categories;
  std::vector<Network> clients, servers;
  StopAction action = StopAction::observe;

  bool fits(const Flow& flow, const Named& named) const;
};

struct StopPolicy {
  std::vector<StopRule> rules;
  StopAction otherwise = StopAction::observe;
  double resets_per_second = 100;
  double resets_burst = 200;
};

// What happened to a flow that was to be stopped or told of.
struct StopEvent {
  enum class What : std::uint8_t {
    alert,    // seen, and left alone
    started,  // the first packets were sent
    held,     // the rate limit or the switch kept the first packets back
    ended,    // the flow is over
    failed,   // data still flowed after the last try
  };
  What what = What::alert;
  std::string application;
  Category category = Category::other;
  Transport transport = Transport::tcp;
  Endpoint client, server;
  std::string evidence;
  Instant time;
  Duration took{};  // ended: since the verdict
};
std::string_view to_string(StopEvent::What what);

struct StopCounts {
  std::uint64_t alerts = 0, stopped = 0, ended = 0, failed = 0;
  std::uint64_t packets = 0;   // sent
  std::uint64_t limited = 0;   // not sent: rate limit
  std::uint64_t switched = 0;  // not sent: the switch is off
  std::uint64_t unsent = 0;    // the kernel did not take them
};

class Stopper final : public FlowWatcher {
 public:
  static constexpr std::size_t kFlowsMax = 8'192;            // being stopped at once; later ones are counted as failed
  static constexpr unsigned kRoundsMax = 8;                  // times one flow is taken up again
  static constexpr unsigned kUnreachableMax = 6;             // ICMP packets for one UDP flow
  static constexpr Duration kUnreachablePause{200'000'000};  // between two of them
  static constexpr double kSpareShare = 0.25;                // of the burst, kept for what is tried for the first time

  struct Hands {
    std::function<bool(Bytes)> send;             // an IP packet; false: not taken
    std::function<bool()> allowed;               // the kill switch: false: nothing is sent
    std::function<void(const StopEvent&)> tell;  // may be empty
  };
  Stopper(StopPolicy policy, Hands hands);
  ~Stopper() override;

  void packet(const Flow& flow, const Packet& packet, Side from) override;
  void named(const Flow& flow, const Named& named, bool managed) override;
  void ended(const Flow& flow, std::string_view application, Category category, bool managed) override;
  // From time to time, with the newest time, at the latest at `next_try`: tries again what no packet would bring up,
  // and settles what fell silent.
  void settle(Instant now);
  Instant next_try() const { return next_try_; }  // Instant::max(): nothing waits

  const StopCounts& counts() const { return counts_; }

 private:
  struct Case;
  bool send(Bytes packet, Instant now, double spare);
  static bool reopen(Case& open, const Packet& packet);
  void begins_anew(Case& open, Instant now);
  void fire(const Flow& flow, Case& open, const Packet* packet, Instant now);
  void shoot(const Flow& flow, Case& open, std::span<const Shot> shots, Instant now);
  void say_tried(Case& open, bool sent, Instant now);
  void tell(const Case& open, StopEvent::What what, Instant now);
  void finish(Case& open, StopEvent::What what, Instant now);

  StopPolicy policy_;
  Hands hands_;
  RateLimit limit_;
  StopCounts counts_;
  std::unordered_map<const Flow*, std::unique_ptr<Case>> open_;
  const Flow* last_flow_ = nullptr;  // of the packet that `named` may speak of
  Segment last_segment_;
  Endpoint last_source_;  // of that packet; which side that is, `named` may have turned round
  Instant next_try_ = Instant::max();
  Buffer last_ip_;  // of a UDP packet: its beginning
};

}  // namespace chancery::sensor
