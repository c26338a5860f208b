#include "sensor/flow/flow_table.h"

#include <gtest/gtest.h>

#include "sensor/packet/decap.h"
#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using namespace testing;

// Writes down what is read: "c:…" and "s:…".
class Writer final : public FlowReader {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  bool octets(Side from, Bytes octets, Instant) override {
    out_.append(from == Side::client ? "c:" : "s:").append(octets).append(" ");
    return !octets.starts_with("STOP");
  }
  void lost(Side from, std::uint32_t count) override {
    out_ += (from == Side::client ? "c[" : "s[") + std::to_string(count) + "] ";
  }
  void finished(Side from) override { out_ += from == Side::client ? "c. " : "s. "; }
  std::size_t memory() const override { return 0; }

 private:
  std::string& out_;
};

// Names a flow as soon as one side has said HELLO; what says WRONG has its sides the other way round.
class HelloClassifier final : public Classifier {
 public:
  Opinion classify(FlowNotes*, const FlowStart& start, bool last_chance) override {
    ++asked;
    last_chances += last_chance ? 1 : 0;
    std::string all{start.client_octets};
    all.append(start.server_octets);
    for (const Datagram& datagram : start.datagrams) all.append(datagram.octets);
    Opinion opinion;
    if (all.find("HELLO") == std::string::npos && all.find("WRONG") == std::string::npos) return opinion;
    opinion.state = Opinion::State::named;
    opinion.named.application = "Hello";
    opinion.named.swapped = all.find("WRONG") != std::string::npos;
    return opinion;
  }
  int asked = 0, last_chances = 0;
};

class Sink final : public FlowSink {
 public:
  std::unique_ptr<FlowReader> named(Flow&, const Named&) override { return std::make_unique<Writer>(read); }
  void ended(const Flow& flow) override {
    ended_flows += flow.client().text() + ">" + flow.server().text() + " " + std::to_string(flow.packets()) +
                   (flow.name ? "n" : "") + (flow.midstream ? "m" : "") + "; ";
  }
  std::string read, ended_flows;
};

class FlowTableTest : public ::testing::Test {
 protected:
  void play(const std::vector<OwnFrame>& frames) {
    Packet packet;
    for (const OwnFrame& frame : frames)
      if (decap_.read(frame.view(), packet)) table_->packet(packet);
  }
  Talk talk(std::string_view client = "192.0.2.1:40000") {
    return Talk{endpoint(client), endpoint("198.51.100.2:5222"), begin_};
  }

  Instant begin_ = from_unix_ns(1'700'000'000'000'000'000);
  SkipCounts skipped_;
  Decapsulator decap_{skipped_};
  HelloClassifier classifier_;
  Sink sink_;
  FlowLimits limits_;
  std::unique_ptr<FlowTable> table_ = std::make_unique<FlowTable>(limits_, &classifier_, sink_, skipped_);
};

TEST_F(FlowTableTest, AFlowIsNamedAndReadFromItsBeginning) {
  play(talk()
           .handshake()
           .say_server("hi")
           .say_client("HELLO")
           .say_server("more")
           .fin(Side::client)
           .fin(Side::server)
           .frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "s:hi c:HELLO s:more c. s. ");
  EXPECT_EQ(sink_.ended_flows, "192.0.2.1:40000>198.51.100.2:5222 13n; ");
}

TEST_F(FlowTableTest, WithoutANameNothingIsRead) {
  play(talk().handshake().say_client("abc").fin(Side::client).frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "");
  EXPECT_EQ(classifier_.last_chances, 1);
}

TEST_F(FlowTableTest, AStreamJoinedInTheMiddleIsToldSo) {
  play(talk().say_client("xHELLO").say_server("yes").frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "c:xHELLO s:yes ");
  EXPECT_EQ(sink_.ended_flows, "192.0.2.1:40000>198.51.100.2:5222 4nm; ");
}

TEST_F(FlowTableTest, TheClassifierMayTurnTheSides) {
  play(talk().handshake().say_client("WRONG").say_server("yes").frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "s:WRONG c:yes ");
  EXPECT_EQ(sink_.ended_flows, "198.51.100.2:5222>192.0.2.1:40000 7n; ");
}

TEST_F(FlowTableTest, AReaderThatHasEnoughGetsNoMore) {
  play(talk().handshake().say_client("HELLO").say_client("STOP").say_client("secret").frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "c:HELLO c:STOP ");
}

TEST_F(FlowTableTest, TheSamePortsAfterTheEndAreANewFlow) {
  play(talk().handshake().say_client("HELLO 1").fin(Side::client).fin(Side::server).frames());
  play(talk().sequence(Side::client, 777'777).handshake().say_client("HELLO 2").frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "c:HELLO 1 c. s. c:HELLO 2 ");
}

TEST_F(FlowTableTest, AForgedResetEndsNothing) {
  Talk forged = talk();
  forged.handshake().say_client("HELLO");
  forged.packet(Side::server, {forged.next(Side::server) + 1'000'000, 0, 0, TcpHeader::kRst}, {});
  forged.say_client("still here");
  play(forged.frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "c:HELLO c:still here ");
}

TEST_F(FlowTableTest, UdpFlowsAreReadByDatagrams) {
  Talk udp = talk();
  udp.datagram(Side::client, "a").datagram(Side::server, "HELLO").datagram(Side::client, "b");
  play(udp.frames());
  table_->finish();
  EXPECT_EQ(sink_.read, "c:a s:HELLO c:b ");
}

TEST_F(FlowTableTest, IdleFlowsAreForgotten) {
  play(talk().handshake().say_client("abc").frames());
  begin_ += limits_.tcp_idle + std::chrono::seconds{10};
  play(talk("192.0.2.9:1").handshake().frames());
  EXPECT_EQ(table_->size(), 1U);
  EXPECT_EQ(sink_.ended_flows, "192.0.2.1:40000>198.51.100.2:5222 5; ");
}

TEST_F(FlowTableTest, OneTimeFarAheadForgetsNothing) {
  play(talk().handshake().say_client("HELLO").frames());
  begin_ += std::chrono::hours{24 * 365};
  play({talk("192.0.2.9:1").handshake().frames()[0]});
  begin_ -= std::chrono::hours{24 * 365};
  EXPECT_EQ(table_->size(), 2U);
  play({talk("192.0.2.8:1").handshake().frames()[0]});
  EXPECT_EQ(skipped_.of(Skip::bad_time), 1U);
}

TEST_F(FlowTableTest, UnderPressureTheFlowIdleLongestMakesRoom) {
  limits_.flows_max = 100;
  table_ = std::make_unique<FlowTable>(limits_, &classifier_, sink_, skipped_);
  for (int i = 0; i < 1'000; ++i) {
    begin_ += std::chrono::milliseconds{1};
    play({talk("192.0.2.1:" + std::to_string(10'000 + i)).handshake().frames()[0]});
    EXPECT_LE(table_->size(), 100U);
  }
  EXPECT_EQ(skipped_.of(Skip::flows_limit), 900U);
  EXPECT_TRUE(sink_.ended_flows.starts_with("192.0.2.1:10000>"));
}

TEST_F(FlowTableTest, ManyFlowsAreFoundAgain) {
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 20'000; ++i) {
      Talk udp{Endpoint{endpoint("10.0.0.1:1").address, static_cast<std::uint16_t>(i)}, endpoint("10.0.0.2:53"),
               begin_};
      play(udp.datagram(round == 1 ? Side::server : Side::client, "x").frames());
    }
  EXPECT_EQ(table_->size(), 20'000U);
  table_->finish();
  EXPECT_EQ(table_->size(), 0U);
  EXPECT_EQ(sink_.ended_flows.find(" 2; "), std::string::npos);
}

TEST_F(FlowTableTest, BeginningsAreBounded) {
  limits_.undecided_bytes_max = 100'000;
  table_ = std::make_unique<FlowTable>(limits_, &classifier_, sink_, skipped_);
  for (int i = 0; i < 200; ++i)
    play(talk("192.0.2.1:" + std::to_string(10'000 + i)).handshake().say_client(Buffer(8'000, 'x')).frames());
  EXPECT_LT(table_->memory(), 2'000'000U);
}

// A gap, a swap or a duplicate at each packet: what is left is read in order and nothing twice.
TEST_F(FlowTableTest, DisturbancesAtEachPacketOnlyLoseWhatIsLost) {
  const auto frames = talk()
                          .handshake()
                          .say_client("HELLO")
                          .say_server("1111")
                          .say_client("2222")
                          .say_server("3333")
                          .say_client("4444")
                          .frames();
  const std::string undisturbed = "c:HELLO s:1111 c:2222 s:3333 c:4444 ";
  for (std::size_t i = 0; i < frames.size(); ++i) {
    auto twice = frames;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), frames[i]);
    auto swapped = frames;
    if (i + 1 < frames.size()) std::swap(swapped[i].octets, swapped[i + 1].octets);
    for (const auto& disturbed : {twice, swapped}) {
      sink_.read.clear();
      table_ = std::make_unique<FlowTable>(limits_, &classifier_, sink_, skipped_);
      play(disturbed);
      table_->finish();
      std::string client, server, expected_client = "HELLO22224444", expected_server = "11113333";
      for (std::size_t at = 0; at < sink_.read.size();) {
        const std::size_t end = sink_.read.find(' ', at);
        (sink_.read[at] == 'c' ? client : server) += sink_.read.substr(at + 2, end - at - 2);
        at = end + 1;
      }
      EXPECT_EQ(client, expected_client) << i << " " << sink_.read;
      EXPECT_EQ(server, expected_server) << i << " " << sink_.read;
    }
  }
}

}  // namespace
}  // namespace chancery::sensor
