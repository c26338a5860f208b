#pragma once
// One gateway process: listeners, sessions, the journal's observer, heartbeat, reload and drain. One loop thread, the
// one that calls `run`; docs/adr/0060-one-loop.md.
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateway/config.h"
#include "gateway/memory.h"
#include "gateway/session.h"
#include "gateway/shop.h"
#include "journal/journal.h"
#include "net/listener.h"
#include "net/log.h"
#include "net/loop.h"
#include "net/text_endpoint.h"
#include "policy/stage.h"

namespace chancery::gateway {

// How a protocol's name leads to its codec; find_protocol of the registry, or a test's own.
using FindProtocol = std::function<const Protocol*(std::string_view name)>;

class Gateway final : public journal::Observer {
 public:
  Gateway(Config config, std::shared_ptr<const policy::Policy> policy, FindProtocol find, net::Log& log);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Before `run`. The journal was opened with this as its observer (or one that passes everything on), and must
  // outlive `run`. `memory` and `legs` are what the log told. Listens; throws with the listener's name when a
  // certificate or an address is wrong.
  void start(journal::Journal& journal, Memory memory, Legs legs);

  // Between `start` and `run`: a record about the record (what opening the log found: outages, an unclean end).
  void note(Kind kind, std::string detail) { recorder_->note_log(kind, std::move(detail), net::Loop::now()); }

  // Until `stop` and the drain behind it are done. False: the journal failed, and no listener may go on without it.
  bool run();

  void stop();  // any thread: drains
  // Before `start`. More text for the metrics endpoint, Prometheus' format; called on the loop's thread.
  void add_metrics(std::function<std::string()> more) { more_metrics_ = std::move(more); }

  // Any thread. Applied whole, or, when anything in it is wrong, not at all (logged). Sessions under way keep their
  // route, certificate and protocol; policy and limits are the new ones for all. What cannot change while running
  // (site, node, archive, keys, state, metrics) is refused with its name.
  void reload(Config config, std::shared_ptr<const policy::Policy> policy);

  void refuse_reload(std::string why);  // any thread: there was nothing to apply; counted and logged

  void on_durable(std::span<const journal::Durable> group) override;
  void on_failed(std::error_code why, std::uint64_t durable_size) override;

  // Before `run`, and from the loop's thread.
  std::uint16_t port(std::string_view listener) const;
  std::uint16_t metrics_port() const { return metrics_ ? metrics_->local().port() : 0; }
  net::Loop& loop() { return loop_; }
  const Stats& stats() const { return stats_; }
  Memory memory();  // for the snapshot, after `run`

 private:
  struct Port {
    std::shared_ptr<const Service> service;
    std::unique_ptr<net::Listener> listener;
  };
  using Services = std::map<std::string, std::shared_ptr<const Service>>;

  Services make_services(const Config& config) const;
  void listen(const Services& services);
  void accept(const std::string& listener, net::Fd fd, const net::Address& peer);
  void retire(Session& session);

  void durable();
  void failed(std::error_code why, std::uint64_t durable_size);
  void count_refused_reload(std::string_view why);
  void apply(const Config& config, std::shared_ptr<const policy::Policy> policy);
  void drain();
  void cut_all();
  void end_if_drained();

  void beat();
  void watch_clock();
  void close_unfinished(const Memory& memory);

  Config config_;
  net::Log& log_;
  FindProtocol find_;
  net::Loop loop_;
  net::Resolver resolver_;
  std::shared_ptr<const policy::Policy> first_policy_;

  journal::Journal* journal_ = nullptr;
  Stats stats_;
  std::optional<Conversations> conversations_;
  std::optional<Recorder> recorder_;
  std::optional<Shop> shop_;

  std::map<std::string, Port, std::less<>> ports_;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions_;
  std::unordered_map<std::string, std::uint32_t> by_address_;
  std::unique_ptr<net::TextEndpoint> metrics_;
  std::function<std::string()> more_metrics_ = [] { return std::string{}; };

  // Hands what a turn recorded to the journal, in one go.
  struct HandOver final : net::Deferred {
    explicit HandOver(Gateway& of) : gateway(of) {}
    void on_turn_end() override { gateway.recorder_->hand_over(); }
    Gateway& gateway;
  };
  HandOver hand_over_{*this};

  net::Timer heartbeat_;
  net::Timer deliveries_;
  net::Timer drain_limit_;
  net::Timer clock_watch_;
  Duration wall_ahead_{};  // wall clock minus steady clock, when last looked at
  std::atomic<bool> durable_posted_ = false;
  bool draining_ = false;
  bool gave_up_ = false;
};

}  // namespace chancery::gateway
