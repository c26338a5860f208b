// gateway_load: signs users in through a proxy and measures what it does with their messages. Prints one JSON object.
//   --mode run      pairs talk with --inflight messages each for --seconds (after --warmup); --rate N paces the whole
//                   at N messages/s and times each; checks that nothing is lost, doubled or reordered
//   --mode sign-in  signs in and out again for --seconds, --pairs at a time
//   --mode idle     signs --pairs × 2 users in, prints "ready", and holds them until standard input ends
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "peer.h"

namespace chancery::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kSigningInMax = 64;  // sign-ins under way at once before a run
constexpr std::size_t kBodySize = 120;

struct Options {
  std::string mode = "run";
  std::uint16_t port = 0;
  std::string ca;
  int pairs = 500;
  int inflight = 1;
  double seconds = 5;
  double warmup = 1;
  double rate = 0;
};

enum class Phase { connecting, authenticating, restarting, binding, ready };

struct User {
  std::unique_ptr<Peer> peer;
  Phase phase = Phase::connecting;
  std::string name;
  std::uint64_t next_to_send = 0;
  std::uint64_t next_expected = 0;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options) {
    if (!options.ca.empty()) context_ = client_context(options.ca);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    users_.resize(static_cast<std::size_t>(options.pairs) * 2);
    for (std::size_t i = 0; i < users_.size(); ++i) users_[i].name = "u" + std::to_string(i);
  }

  int run() {
    if (options_.mode == "sign-in") return run_sign_in();
    const auto begin = Clock::now();
    sign_in_all();
    const double took = Seconds(Clock::now() - begin).count();
    if (options_.mode == "idle") return hold();
    run_messages();
    report(took);
    return lost_or_mixed() ? 1 : 0;
  }

 private:
  // --- signing in ---

  void open(std::size_t i) {
    User& user = users_[i];
    user.phase = Phase::connecting;
    user.peer = std::make_unique<Peer>(connect_to_loopback(options_.port), context_.get(), false);
    user.peer->queue(kOpening);
    watch(i, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
  }

  void sign_in_all() {
    std::size_t opened = 0;
    while (signed_in_ < users_.size()) {
      while (opened < users_.size() && opened - signed_in_ < kSigningInMax) open(opened++);
      turn(-1);
    }
  }

  int run_sign_in() {
    for (std::size_t i = 0; i < users_.size(); ++i) open(i);
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(options_.seconds));
    while (Clock::now() < end) {
      turn(100);
      for (const std::size_t i : just_ready_) open(i);  // the old connection is closed by its replacement
      just_ready_.clear();
    }
    std::printf("{\"sign_ins\": %zu, \"per_second\": %.1f}\n", signed_in_,
                static_cast<double>(signed_in_) / options_.seconds);
    return 0;
  }

  int hold() {
    std::printf("ready\n");
    std::fflush(stdout);
    char octet = 0;
    while (::read(STDIN_FILENO, &octet, 1) > 0) {
    }
    return 0;
  }

  // Whether `in` held what this phase waits for; then it is taken off.
  static bool take(std::string& in, std::string_view wanted) {
    const auto at = in.find(wanted);
    if (at == std::string::npos) return false;
    in.erase(0, at + wanted.size());
    return true;
  }

  void advance(std::size_t i) {
    User& user = users_[i];
    std::string& in = user.peer->in();
    if (user.phase == Phase::connecting && take(in, "</stream:features>")) {
      user.phase = Phase::authenticating;
      user.peer->queue("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHVzZXIAcGFzcw==</auth>");
    }
    if (user.phase == Phase::authenticating && take(in, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")) {
      user.phase = Phase::restarting;
      user.peer->queue(kOpening);
    }
    if (user.phase == Phase::restarting && take(in, "</stream:features>")) {
      user.phase = Phase::binding;
      user.peer->queue("<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + user.name +
                       "</resource></bind></iq>");
    }
    if (user.phase == Phase::binding && take(in, "</iq>")) {
      user.phase = Phase::ready;
      ++signed_in_;
      just_ready_.push_back(i);
    }
  }

  // --- messages ---

  void run_messages() {
    just_ready_.clear();
    const auto begin = Clock::now();
    measure_from_ = begin + std::chrono::duration_cast<Clock::duration>(Seconds(options_.warmup));
    const auto end = measure_from_ + std::chrono::duration_cast<Clock::duration>(Seconds(options_.seconds));
    running_ = true;
    if (options_.rate == 0)
      for (std::size_t i = 0; i < users_.size(); i += 2)
        for (int k = 0; k < options_.inflight; ++k) say(i);
    flush_all();
    while (Clock::now() < end) options_.rate > 0 ? paced_turn(begin) : turn(1);
    measured_ = Seconds(Clock::now() - measure_from_).count();
    running_ = false;
    for (const auto give_up = Clock::now() + std::chrono::seconds(10); received_ < sent_ && Clock::now() < give_up;)
      turn(10);
  }

  void paced_turn(Clock::time_point begin) {
    const auto due = static_cast<std::uint64_t>(Seconds(Clock::now() - begin).count() * options_.rate);
    while (sent_ < due) {
      say(speaker_);
      users_[speaker_].peer->flush();
      speaker_ = (speaker_ + 2) % users_.size();
    }
    turn(0);
  }

  // User i says the next numbered message to its partner. The time of sending travels in the body.
  void say(std::size_t i) {
    User& user = users_[i];
    const std::size_t partner = i ^ 1U;
    std::array<char, 512> stanza;
    const auto now = Clock::now().time_since_epoch().count();
    const int length = std::snprintf(
        stanza.data(), stanza.size(), "<message to='%s@im.test' id='%zu-%llu' type='chat'><body>n=%llu t=%lld ",
        users_[partner].name.c_str(), i, static_cast<unsigned long long>(user.next_to_send),
        static_cast<unsigned long long>(user.next_to_send), static_cast<long long>(now));
    const std::string_view head{stanza.data(), static_cast<std::size_t>(length)};
    user.peer->queue(head);
    const std::size_t body = head.size() - head.find("n=");
    user.peer->queue(kFiller.substr(0, kBodySize > body ? kBodySize - body : 0));
    user.peer->queue("</body></message>");
    ++user.next_to_send;
    ++sent_;
  }

  void hear(std::size_t i) {
    User& user = users_[i];
    std::string& in = user.peer->in();
    std::size_t at = 0;
    for (;;) {
      const auto end = in.find("</message>", at);
      if (end == std::string::npos) break;
      const auto body = in.find("<body>n=", at);
      if (body == std::string::npos || body > end)
        throw std::runtime_error("an unexpected message: " + in.substr(at, end - at));
      count(user, in.data() + body + 8, in.data() + end);
      at = end + 10;
      if (running_ && options_.rate == 0) say(options_.inflight == 1 ? i : i ^ 1U);
    }
    in.erase(0, at);
    if (options_.inflight != 1 && at != 0) users_[i ^ 1U].peer->flush();
  }

  void count(User& user, const char* from, const char* to) {
    std::uint64_t number = 0;
    std::int64_t sent_at = 0;
    const auto first = std::from_chars(from, to, number);
    std::from_chars(first.ptr + 3, to, sent_at);
    const auto now = Clock::now();
    if (number != user.next_expected) ++misplaced_;
    user.next_expected = number + 1;
    ++received_;
    if (now < measure_from_ || !running_) return;
    ++counted_;
    if (options_.rate > 0) latencies_.push_back(static_cast<double>(now.time_since_epoch().count() - sent_at) / 1000.0);
  }

  bool lost_or_mixed() const { return misplaced_ != 0 || received_ != sent_; }

  void report(double sign_in_seconds) {
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double share) {
      return latencies_.empty()
                 ? 0.0
                 : latencies_[static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1))];
    };
    std::printf(
        "{\"messages\": %llu, \"per_second\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"sent\": %llu, \"received\": "
        "%llu, "
        "\"misplaced\": %llu, \"sign_in_seconds\": %.2f}\n",
        static_cast<unsigned long long>(counted_), static_cast<double>(counted_) / measured_, at(0.5), at(0.99),
        static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(received_),
        static_cast<unsigned long long>(misplaced_), sign_in_seconds);
  }

  // --- the loop ---

  void watch(std::size_t i, std::uint32_t interest, int operation) {
    epoll_event event{};
    event.events = interest;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, operation, users_[i].peer->fd(), &event);
  }

  void turn(int wait_ms) {
    std::array<epoll_event, 1024> events;
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
    for (int k = 0; k < count; ++k) {
      const auto& event = events[static_cast<std::size_t>(k)];
      serve(static_cast<std::size_t>(event.data.u64), event.events);
    }
  }

  void serve(std::size_t i, std::uint32_t what) {
    User& user = users_[i];
    if ((what & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) user.peer->receive();
    if (user.peer->closed()) throw std::runtime_error("a connection was closed: " + user.peer->in());
    const bool was_ready = user.phase == Phase::ready;
    was_ready ? hear(i) : advance(i);
    user.peer->flush();
    const bool wants_write = user.peer->wants_write();
    if ((what & EPOLLOUT) != 0 || wants_write) watch(i, wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }

  void flush_all() {
    for (User& user : users_) user.peer->flush();
  }

  static constexpr std::string_view kOpening =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
      "to='im.test' version='1.0'>";
  static constexpr std::string_view kFiller =
      "the quarterly figures are in the usual folder and the meeting on Thursday moves to the small room by the stairs "
      "again";

  Options options_;
  ContextPointer context_;
  int epoll_ = -1;
  std::vector<User> users_;
  std::vector<std::size_t> just_ready_;
  std::size_t signed_in_ = 0;
  std::size_t speaker_ = 0;
  bool running_ = false;
  Clock::time_point measure_from_;
  double measured_ = 0;
  std::uint64_t sent_ = 0, received_ = 0, counted_ = 0, misplaced_ = 0;
  std::vector<double> latencies_;
};

}  // namespace
}  // namespace chancery::bench

int main(int argc, char** argv) {
  using namespace chancery::bench;
  Options options;
  CLI::App app{"Load for a gateway or any other proxy before gateway_sink"};
  app.add_option("--mode", options.mode)->check(CLI::IsMember({"run", "sign-in", "idle"}));
  app.add_option("--port", options.port)->required();
  app.add_option("--ca", options.ca, "TLS, trusting this CA; without it: in clear");
  app.add_option("--pairs", options.pairs)->check(CLI::Range(1, 20'000));
  app.add_option("--inflight", options.inflight)->check(CLI::Range(1, 1'000));
  app.add_option("--seconds", options.seconds);
  app.add_option("--warmup", options.warmup);
  app.add_option("--rate", options.rate, "messages/s over all pairs; 0: as fast as they come back");
  CLI11_PARSE(app, argc, argv);
  prepare_process();
  try {
    return Load{options}.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gateway_load: %s\n", error.what());
    return 2;
  }
}
