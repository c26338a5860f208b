#include "gateway/testing/bed.h"

namespace chancery::gateway::testing {
namespace {

const Protocol* find(std::string_view name) { return name == "line" ? &kLineProtocol : nullptr; }

}  // namespace

policy::Judgement CodePolicy::judge_now(const policy::Subject& subject, Answers& answers) const {
  policy::Judgement judgement;
  judgement.decision.policy_revision = revision_;
  if (subject.event.kind == Kind::sign_in && !notice_.empty()) {
    const std::string key = "signon:" + subject.event.from;
    if (answers.answer("notice.shown:" + key) == "no")
      judgement.notices.push_back({"signon", key, Side::client, notice_, false});
  }
  if (subject.event.texts.empty()) return judgement;
  const std::string& text = subject.event.texts.front().text;
  if (text.find("forbidden") != std::string::npos) {
    judgement.decision.verdict = Verdict::refuse;
    judgement.decision.rule = "no-forbidden";
    judgement.decision.notice = "not allowed";
  } else if (const std::size_t at = text.find("secret"); at != std::string::npos) {
    judgement.decision.verdict = Verdict::redact;
    judgement.decision.rule = "mask-secret";
    judgement.decision.masks = {{0, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + 6)}};
  }
  return judgement;
}

Bed::Bed() : certificate(net::testing::make_certificate(folder.path(), "localhost")) {
  config.site = "test";
  config.node = "node";
  config.limits.drain_seconds = std::chrono::seconds(2);
  Listener listener;
  listener.name = "line";
  listener.protocol = "line";
  listener.address = {"127.0.0.1", 0};
  listener.host = "localhost";
  listener.certificate.chain = certificate.chain;
  listener.certificate.key = certificate.key;
  listener.route.network = "net";
  listener.route.address = {"127.0.0.1", server.port()};
  listener.route.ca = certificate.chain;
  listener.route.server_name = "localhost";
  config.listeners.push_back(listener);
}

Bed::~Bed() { down(); }

void Bed::up() {
  gateway = std::make_unique<Gateway>(config, policy, &find, log);
  journal_ = std::make_unique<HeldJournal>(*gateway);
  gateway->start(*journal_, std::move(memory), Legs(config.limits.match_entries_max));
  thread_ = std::thread([this] { result_ = gateway->run(); });
}

bool Bed::down() {
  if (!thread_.joinable()) return result_;
  journal_->hold(false);
  journal_->let_all();
  gateway->stop();
  thread_.join();
  return result_;
}

net::Address Bed::address(std::string_view listener) {
  std::uint16_t port = 0;
  on_loop([&] { port = gateway->port(listener); });
  return *net::Address::parse("127.0.0.1", port);
}

void Bed::on_loop(const std::function<void()>& action) {
  std::promise<void> done;
  gateway->loop().post([&] {
    action();
    done.set_value();
  });
  done.get_future().wait();
}

bool Bed::until(const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(Peer::kTimeoutSeconds);
  bool yes = false;
  while (!yes && std::chrono::steady_clock::now() < limit) on_loop([&] { yes = done(); });
  return yes;
}

bool Bed::until_records(Kind kind, std::size_t count) {
  return until([&] { return journal().records(kind).size() >= count; });
}

Stats Bed::stats() {
  Stats copy;
  on_loop([&] { copy = gateway->stats(); });
  return copy;
}

}  // namespace chancery::gateway::testing
