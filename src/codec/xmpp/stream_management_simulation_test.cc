// A client and a server that do XEP-0198 by the book, and between them a gateway that drops and adds, over connections
// that break at any moment and lose what is under way. Checked: every count, and that nothing is lost, doubled or out
// of order in either view.
#include <array>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

#include "codec/xmpp/stream_management.h"

namespace chancery::xmpp {
namespace {

struct Packet {
  enum class What { stanza, request, answer, resume, resumed };
  What what = What::stanza;
  std::string id;  // stanza
  std::uint32_t h = 0;
};
using Wire = std::deque<Packet>;

// One end, as XEP-0198 wants it: counts what it receives, keeps what it sends until that is acknowledged.
class Peer {
 public:
  void say(std::string id, Wire& out) {
    unacknowledged_.push_back(id);
    said.push_back(id);
    out.push_back({Packet::What::stanza, std::move(id), 0});
  }
  void hear(const Packet& packet, Wire& out) {
    switch (packet.what) {
      case Packet::What::stanza:
        heard.push_back(packet.id);
        return;
      case Packet::What::request:
        out.push_back({Packet::What::answer, {}, count()});
        return;
      case Packet::What::answer:
        return settle(packet.h);
      case Packet::What::resume:
        settle(packet.h);
        out.push_back({Packet::What::resumed, {}, count()});
        return say_again(out);
      case Packet::What::resumed:
        settle(packet.h);
        up = true;
        return say_again(out);
    }
  }
  std::uint32_t count() const { return static_cast<std::uint32_t>(heard.size()); }
  bool all_settled() const { return unacknowledged_.empty(); }

  std::vector<std::string> said;
  std::vector<std::string> heard;
  bool up = true;  // may say something: not between <resume/> and <resumed/>

 private:
  void settle(std::uint32_t h) {
    ASSERT_LE(settled_, h) << "a count went back";
    ASSERT_LE(h - settled_, unacknowledged_.size()) << "acknowledged what was never said";
    unacknowledged_.erase(unacknowledged_.begin(), unacknowledged_.begin() + (h - settled_));
    settled_ = h;
  }
  void say_again(Wire& out) {
    for (const std::string& id : unacknowledged_) out.push_back({Packet::What::stanza, id, 0});
  }
  std::deque<std::string> unacknowledged_;
  std::uint32_t settled_ = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    session_ = std::make_shared<ManagedSession>(Limits{});
    session_->own = "a@x";
    session_->management.enable_sent();
    session_->management.enabled();
    store_.attach("id", session_);
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) {
      const auto dice = random_() % 100;
      if (dice < 2)
        cut_and_resume();
      else if (dice < 15 && client_.up)
        client_.say("c" + std::to_string(client_.said.size()), from_client_);
      else if (dice < 28 && up_)
        server_.say("s" + std::to_string(server_.said.size()), from_server_);
      else if (dice < 33 && client_.up)
        from_client_.push_back({Packet::What::request, {}, 0});
      else if (dice < 38 && up_)
        from_server_.push_back({Packet::What::request, {}, 0});
      else if (dice < 42 && up_)
        add(random_() % 4 == 0 ? Side::server : Side::client);
      else
        move_one();
    }
  }

  // Lets everything arrive, asks both sides, and looks at what they have seen.
  void settle_and_check() {
    drain();
    if (!up_) FAIL() << "not resumed";
    from_client_.push_back({Packet::What::request, {}, 0});
    from_server_.push_back({Packet::What::request, {}, 0});
    drain();
    EXPECT_TRUE(client_.all_settled());
    EXPECT_TRUE(server_.all_settled());
    check_view(client_, server_, added_to_[Side::server]);
    check_view(server_, client_, added_to_[Side::client]);
    EXPECT_EQ(session_->management.repeats(Side::client), 0U);
    EXPECT_EQ(session_->management.repeats(Side::server), 0U);
  }

 private:
  // The policy of this world: always the same for the same stanza.
  static bool is_refused(const std::string& id) { return std::hash<std::string>{}(id) % 3 == 0; }

  void check_view(const Peer& from, const Peer& to, const std::vector<std::string>& added) const {
    std::vector<std::string> expected;
    for (const std::string& id : from.said)
      if (!is_refused(id)) expected.push_back(id);
    std::vector<std::string> passed;
    std::vector<std::string> others;
    for (const std::string& id : to.heard) (id.starts_with('+') ? others : passed).push_back(id);
    EXPECT_EQ(passed, expected);
    EXPECT_EQ(others, added);
  }

  void add(Side to) {
    added_to_[to].push_back("+" + std::to_string(added_++));
    const std::string& id = added_to_[to].back();
    ASSERT_TRUE(session_->management.add(to, id));
    (to == Side::client ? to_client_ : to_server_).push_back({Packet::What::stanza, id, 0});
  }

  void gateway(Side from, const Packet& packet) {
    StreamManagement& management = session_->management;
    Wire& onward = from == Side::client ? to_server_ : to_client_;
    switch (packet.what) {
      case Packet::What::stanza:
        return judge(from, packet, onward);
      case Packet::What::request:
        onward.push_back(packet);
        return;
      case Packet::What::answer: {
        const auto h = management.acknowledge(from, packet.h);
        ASSERT_TRUE(h);
        onward.push_back({packet.what, {}, *h});
        return;
      }
      case Packet::What::resume: {
        session_ = store_.take("id", "a@x", Instant{});
        ASSERT_TRUE(session_);
        const auto h = session_->management.resume(packet.h);
        ASSERT_TRUE(h);
        onward.push_back({packet.what, {}, *h});
        return;
      }
      case Packet::What::resumed: {
        const auto resumed = management.resumed(packet.h);
        ASSERT_TRUE(resumed);
        onward.push_back({packet.what, {}, resumed->h});
        for (const Buffer& id : resumed->to_client) to_client_.push_back({Packet::What::stanza, id, 0});
        for (const Buffer& id : resumed->to_server) to_server_.push_back({Packet::What::stanza, id, 0});
        up_ = true;
        return;
      }
    }
  }

  void judge(Side from, const Packet& packet, Wire& onward) {
    StreamManagement& management = session_->management;
    const bool repeated = management.repeats(from) > 0;
    EXPECT_EQ(repeated, !judged_.insert(packet.id).second) << packet.id;
    if (!is_refused(packet.id)) {
      management.pass(from);
      onward.push_back(packet);
      return;
    }
    ASSERT_TRUE(management.drop(from));
    if (from == Side::client || random_() % 2 == 0) add(from);
  }

  // One packet moves on some wire. True: there was one.
  bool move_one() {
    const std::array<Wire*, 4> wires{&from_client_, &from_server_, &to_client_, &to_server_};
    const std::size_t first = random_() % wires.size();
    for (std::size_t i = 0; i < wires.size(); ++i) {
      Wire& wire = *wires[(first + i) % wires.size()];
      if (wire.empty()) continue;
      const Packet packet = wire.front();
      wire.pop_front();
      if (&wire == &from_client_) gateway(Side::client, packet);
      if (&wire == &from_server_) gateway(Side::server, packet);
      if (&wire == &to_client_) client_.hear(packet, from_client_);
      if (&wire == &to_server_) server_.hear(packet, from_server_);
      return true;
    }
    return false;
  }
  void drain() {
    while (!::testing::Test::HasFatalFailure() && move_one()) {
    }
  }

  // Something more arrives, the rest is lost, and the client comes back: sometimes before the gateway has noticed.
  void cut_and_resume() {
    for (auto left = random_() % 6; left > 0; --left) move_one();
    for (Wire* wire : {&from_client_, &from_server_, &to_client_, &to_server_}) wire->clear();
    if (random_() % 2 == 0) store_.detach("id", session_, from_unix_ns(1));
    up_ = client_.up = false;
    from_client_.push_back({Packet::What::resume, {}, client_.count()});
  }

  std::mt19937_64 random_;
  ResumptionStore store_;
  std::shared_ptr<ManagedSession> session_;
  Peer client_;
  Peer server_;
  Wire from_client_;
  Wire to_client_;
  Wire from_server_;
  Wire to_server_;
  std::map<Side, std::vector<std::string>> added_to_;
  std::set<std::string> judged_;
  int added_ = 0;
  bool up_ = true;  // resumed, in the gateway's eyes
};

TEST(StreamManagementSimulation, NothingIsLostDoubledOrOutOfOrder) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 4 && !::testing::Test::HasFailure(); ++i) {
      world.run(300);
      world.settle_and_check();
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace chancery::xmpp
