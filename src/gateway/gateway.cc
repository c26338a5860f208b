#include "gateway/gateway.h"

#include <stdexcept>

#include "gateway/metrics.h"

namespace chancery::gateway {
namespace {

constexpr std::chrono::milliseconds kDeliveriesWait{50};  // before a batch of deliveries is written
// Connections over the limit that may be there at the same time, being told so; more are dropped without a word.
constexpr std::size_t kTurnedAwayMax = 256;
constexpr std::chrono::seconds kClockWatch{5};
constexpr std::chrono::milliseconds kClockStep{500};  // smaller ones are slewing, not a step

net::Address listen_address(const Listener& listener) {
  const auto address = net::Address::parse(listener.address.host, listener.address.port);
  if (!address)
    throw std::runtime_error(
        fmt::format("listener {}: {} is not an IP address to listen on", listener.name, to_string(listener.address)));
  return *address;
}

Duration wall_minus_steady() {
  return net::Loop::now().time_since_epoch() -
         std::chrono::duration_cast<Duration>(net::Wheel::Clock::now().time_since_epoch());
}

}  // namespace

Gateway::Gateway(Config config, std::shared_ptr<const policy::Policy> policy, FindProtocol find, net::Log& log)
    : config_(std::move(config)),
      log_(log),
      find_(std::move(find)),
      resolver_(loop_),
      first_policy_(std::move(policy)),
      heartbeat_([this] { beat(); }),
      deliveries_([this] {
        recorder_->flush_deliveries(net::Loop::now());
        if (recorder_->has_deliveries()) loop_.wheel().arm(deliveries_, kDeliveriesWait);
      }),
      drain_limit_([this] { cut_all(); }),
      clock_watch_([this] { watch_clock(); }) {}

Gateway::~Gateway() {
  // Sessions refer to the loop's timers and to the shop: they go first.
  sessions_.clear();
  if (shop_) {
    shop_->waiting = {};
    shop_->blocked.clear();
    shop_->heirs.clear();
  }
}

void Gateway::start(journal::Journal& journal, Memory memory, Legs legs) {
  journal_ = &journal;
  const auto secret = journal.derive_secret("conversation");
  conversations_.emplace(secret.bytes());
  // A connection's own conversation is counted by its session, not here.
  for (const auto& [connection, left] : memory.unfinished) memory.sequences.erase(ConversationId{connection.octets});
  for (const auto& [id, next] : memory.sequences)
    if (next > 0) conversations_->used(id, next - 1);
  recorder_.emplace(journal, *conversations_, stats_);
  recorder_->hand_over_by([this] { loop_.defer(hand_over_); });
  shop_.emplace(Shop{.loop = loop_,
                     .log = log_,
                     .resolver = resolver_,
                     .limits = config_.limits,
                     .policy = first_policy_,
                     .recorder = *recorder_,
                     .conversations = *conversations_,
                     .legs = std::move(legs),
                     .stats = stats_});
  shop_->retire = [this](Session& session) { retire(session); };
  shop_->delivery_waits = [this] {
    if (!deliveries_.armed()) loop_.wheel().arm(deliveries_, kDeliveriesWait);
  };
  for (auto& [key, when] : memory.notices) shop_->notices.shown(key, when);
  recorder_->restore_day(memory.day, memory.today);
  close_unfinished(memory);

  listen(make_services(config_));
  if (!config_.metrics.host.empty()) {
    const auto address = net::Address::parse(config_.metrics.host, config_.metrics.port);
    if (!address) throw std::runtime_error("metrics: " + to_string(config_.metrics) + " is not an IP address");
    metrics_ = std::make_unique<net::TextEndpoint>(
        loop_, *address,
        std::map<std::string, net::TextEndpoint::Make, std::less<>>{
            {"/metrics",
             [this] {
               return metrics_text(stats_, {journal_->next_index(), journal_->durable_size(), shop_->journal_failed}) +
                      more_metrics_();
             }},
            {"/healthz", [this] { return std::string{shop_->journal_failed ? "journal failed\n" : "ok\n"}; }}});
  }
  wall_ahead_ = wall_minus_steady();
  loop_.wheel().arm(heartbeat_, config_.heartbeat_seconds);
  loop_.wheel().arm(clock_watch_, kClockWatch);
}

bool Gateway::run() {
  loop_.run();
  return !gave_up_;
}

// ---- Listeners and sessions ----------------------------------------------------------------------------------------

Gateway::Services Gateway::make_services(const Config& config) const {
  Services services;
  for (const Listener& listener : config.listeners) {
    auto service = std::make_shared<Service>();
    service->config = listener;
    service->protocol = find_(listener.protocol);
    if (service->protocol == nullptr)
      throw std::runtime_error(fmt::format("listener {}: no protocol is called {}", listener.name, listener.protocol));
    listen_address(listener);
    if (listener.tls != Tls::none)
      service->client_side = net::TlsContext::server(listener.certificate.chain, listener.certificate.key);
    if (listener.route.tls != Tls::none)
      service->server_side = net::TlsContext::client(listener.route.ca, listener.route.verify);
    const auto known = ports_.find(listener.name);
    if (known != ports_.end() && known->second.service->protocol == service->protocol) {
      service->shared = known->second.service->shared;
      service->upstream = known->second.service->upstream;
    } else {
      chancery::Limits limits;
      limits.unit_size_max = config.limits.unit_size_bytes;
      if (service->protocol->make_shared != nullptr) service->shared = service->protocol->make_shared(limits);
      service->upstream = std::make_shared<Upstream>();
    }
    services[listener.name] = std::move(service);
  }
  return services;
}

// Binds what is new before anything is given up, so that a failure leaves all as it was.
void Gateway::listen(const Services& services) {
  std::map<std::string, std::unique_ptr<net::Listener>> fresh;
  for (const auto& [name, service] : services) {
    const auto known = ports_.find(name);
    if (known != ports_.end() && known->second.service->config.address == service->config.address) continue;
    try {
      fresh[name] = std::make_unique<net::Listener>(
          loop_, listen_address(service->config),
          [this, listener = name](net::Fd fd, const net::Address& peer) { accept(listener, std::move(fd), peer); });
    } catch (const std::system_error& error) {
      throw std::runtime_error(fmt::format("listener {}: {}", name, error.what()));
    }
  }
  std::erase_if(ports_, [&](const auto& port) { return !services.contains(port.first); });
  for (const auto& [name, service] : services) {
    Port& port = ports_[name];
    port.service = service;
    if (const auto made = fresh.find(name); made != fresh.end()) port.listener = std::move(made->second);
  }
}

std::uint16_t Gateway::port(std::string_view listener) const {
  const auto found = ports_.find(listener);
  return found == ports_.end() ? std::uint16_t{0} : found->second.listener->local().port();
}

void Gateway::accept(const std::string& listener, net::Fd fd, const net::Address& peer) {
  const std::shared_ptr<const Service>& service = ports_.find(listener)->second.service;
  if (sessions_.size() >= config_.limits.connections_max + kTurnedAwayMax) {
    ++stats_.over_limit;
    return;
  }
  auto session = std::make_shared<Session>(*shop_, service, std::move(fd), peer);
  Session& made = *session;
  sessions_.emplace(&made, std::move(session));
  stats_.connections = sessions_.size();
  const Limits& limits = config_.limits;
  std::uint32_t& same = by_address_[made.accepted_from()];
  ++same;
  // Behind a balancer every client has the balancer's address: its own bound does not apply.
  const bool crowded = limits.connections_per_address_max > 0 && !service->config.proxy_protocol.in &&
                       same > limits.connections_per_address_max;
  if (crowded || sessions_.size() > limits.connections_max) return made.turn_away();
  if (shop_->journal_failed && service->config.on_journal_failure == OnJournalFailure::refuse)
    return made.on_journal_failure();
  made.start();
}

void Gateway::retire(Session& session) {
  const auto found = sessions_.find(&session);
  if (found == sessions_.end()) return;
  const auto same = by_address_.find(session.accepted_from());
  if (same != by_address_.end() && --same->second == 0) by_address_.erase(same);
  loop_.dispose([gone = std::move(found->second)] {});
  sessions_.erase(found);
  stats_.connections = sessions_.size();
  end_if_drained();
}

// ---- The journal ---------------------------------------------------------------------------------------------------

void Gateway::on_durable(std::span<const journal::Durable> /*group*/) {
  if (durable_posted_.exchange(true)) return;  // one task for all groups since the loop last looked
  loop_.post([this] { durable(); });
}

void Gateway::durable() {
  durable_posted_.store(false);
  if (!shop_) return;
  const std::uint64_t size = journal_->durable_size();
  auto& waiting = shop_->waiting;
  while (!waiting.empty() && waiting.top().size <= size) {
    const std::shared_ptr<Session> session = waiting.top().session;
    waiting.pop();
    session->durable();
  }
  std::vector<std::shared_ptr<Session>> blocked;
  blocked.swap(shop_->blocked);
  for (const auto& session : blocked) session->retry();
}

void Gateway::on_failed(std::error_code why, std::uint64_t durable_size) {
  loop_.post([this, why, durable_size] { failed(why, durable_size); });
}

void Gateway::failed(std::error_code why, std::uint64_t durable_size) {
  shop_->journal_failed = true;
  log_.alarm("the journal failed: nothing is recorded any more",
             {{"why", why.message()}, {"durable_size", durable_size}, {"origin", journal_->origin()}});
  durable();  // what was safe still goes out
  bool some_go_on = false;
  for (const auto& [name, port] : ports_)
    some_go_on = some_go_on || port.service->config.on_journal_failure == OnJournalFailure::forward_and_alarm;
  std::vector<std::shared_ptr<Session>> all;
  for (const auto& [key, session] : sessions_) all.push_back(session);
  for (const auto& session : all) session->on_journal_failure();
  shop_->waiting = {};
  if (some_go_on) return;
  gave_up_ = true;
  drain();
}

// ---- Reload and drain ----------------------------------------------------------------------------------------------

void Gateway::reload(Config config, std::shared_ptr<const policy::Policy> policy) {
  loop_.post([this, config = std::move(config), policy = std::move(policy)]() mutable {
    try {
      apply(config, std::move(policy));
      ++stats_.reloads;
      log_.info("configuration reloaded", {{"listeners", ports_.size()}, {"policy", shop_->policy->revision()}});
    } catch (const std::exception& error) {
      count_refused_reload(error.what());
    }
  });
}

void Gateway::refuse_reload(std::string why) {
  loop_.post([this, why = std::move(why)] { count_refused_reload(why); });
}

void Gateway::count_refused_reload(std::string_view why) {
  ++stats_.reloads_refused;
  log_.error("configuration refused, the old one stays", {{"why", why}});
}

void Gateway::apply(const Config& config, std::shared_ptr<const policy::Policy> policy) {
  const auto fixed = [](bool same, const char* what) {
    if (!same) throw std::runtime_error(fmt::format("{} cannot change while the gateway runs: restart it", what));
  };
  fixed(config.site == config_.site, "site");
  fixed(config.node == config_.node, "node");
  fixed(config.archive == config_.archive, "archive");
  fixed(config.keys == config_.keys, "keys");
  fixed(config.state == config_.state, "state");
  fixed(config.index == config_.index, "index");
  fixed(config.metrics == config_.metrics, "metrics");
  const Services services = make_services(config);
  listen(services);
  // From here on nothing fails.
  const bool new_policy = policy->revision() != shop_->policy->revision();
  if (new_policy)
    recorder_->note_log(Kind::policy_change,
                        fmt::format("{} replaces {}", policy->revision(), shop_->policy->revision()), net::Loop::now());
  shop_->policy = std::move(policy);
  shop_->limits = config.limits;
  config_ = config;
  loop_.wheel().arm(heartbeat_, config_.heartbeat_seconds);
}

void Gateway::stop() {
  loop_.post([this] { drain(); });
}

void Gateway::drain() {
  if (draining_) return;
  draining_ = true;
  log_.info("stopping", {{"connections", sessions_.size()}});
  for (auto& [name, port] : ports_) port.listener.reset();
  loop_.wheel().arm(drain_limit_, config_.limits.drain_seconds + std::chrono::seconds(1));
  std::vector<std::shared_ptr<Session>> all;
  for (const auto& [key, session] : sessions_) all.push_back(session);
  for (const auto& session : all) session->stop();
  end_if_drained();
}

// The time for draining is over.
void Gateway::cut_all() {
  std::vector<std::shared_ptr<Session>> all;
  for (const auto& [key, session] : sessions_) all.push_back(session);
  for (const auto& session : all) session->cut("shutdown, and not drained in time");
  end_if_drained();
}

void Gateway::end_if_drained() {
  if (!draining_ || !sessions_.empty()) return;
  recorder_->flush_deliveries(net::Loop::now());
  loop_.stop();
}

// ---- Records about the record --------------------------------------------------------------------------------------

void Gateway::beat() {
  const Instant now = net::Loop::now();
  recorder_->note_log(Kind::heartbeat, {}, now, recorder_->today(now));
  loop_.wheel().arm(heartbeat_, config_.heartbeat_seconds);
}

// A step of the wall clock shows against the steady one.
void Gateway::watch_clock() {
  const Duration ahead = wall_minus_steady();
  const Duration step = ahead - wall_ahead_;
  wall_ahead_ = ahead;
  if (std::chrono::abs(step) >= kClockStep) {
    const double seconds = std::chrono::duration<double>(step).count();
    recorder_->note_log(Kind::clock_step, fmt::format("{:+.3f} s", seconds), net::Loop::now());
    log_.warning("the wall clock stepped", {{"seconds", seconds}});
  }
  loop_.wheel().arm(clock_watch_, kClockWatch);
}

// Connections that the last process left without an end: said, with what is not known about them.
void Gateway::close_unfinished(const Memory& memory) {
  const Instant now = net::Loop::now();
  for (const auto& [connection, left] : memory.unfinished) {
    Event event;
    event.kind = Kind::stream_close;
    event.scope = Scope::network;
    event.from = left.account;
    event.detail = "the gateway ended uncleanly";
    std::uint64_t sequence = left.next_sequence;
    recorder_->note({left.protocol, left.network, Side::client, connection, left.session, left.account},
                    {std::move(event), ConversationId{connection.octets}, &sequence, left.counters, now});
  }
}

Memory Gateway::memory() {
  Memory memory;
  memory.sequences = conversations_->sequences();
  memory.notices = shop_->notices.all();
  const Instant now = net::Loop::now();
  memory.day = now;
  memory.today = recorder_->today(now);
  memory.size = journal_->durable_size();
  return memory;
}

}  // namespace chancery::gateway
