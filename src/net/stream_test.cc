#include "net/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <thread>

#include "net/listener.h"
#include "net/testing.h"

namespace chancery::net {
namespace {

using testing::Peer;
using testing::turn_until;

constexpr std::size_t kQueueMax = 256U << 10;

struct StreamTest : ::testing::Test, Stream::Owner {
  Loop loop;
  testing::TemporaryFolder folder;
  std::unique_ptr<Stream> stream;
  Buffer input;
  int calls = 0;
  bool secure = false, ended = false, closed = false, relieved = false;
  std::error_code error;
  std::function<void(Bytes)> react;

  void on_input(Stream&, Bytes octets) override {
    ++calls;
    input.append(octets);
    if (react) react(octets);
  }
  void on_secure(Stream&) override { secure = true; }
  void on_relief(Stream&) override { relieved = true; }
  void on_end(Stream&, std::error_code why) override {
    ended = true;
    error = why;
  }
  void on_closed(Stream&) override { closed = true; }

  Peer join() {
    testing::Door door;
    Peer peer = Peer::connect(door.address());
    Peer ours = door.accept();
    stream = std::make_unique<Stream>(loop, Fd(::dup(ours.fd())), *this, kQueueMax);
    const int flags = ::fcntl(stream->fd(), F_GETFL);
    ::fcntl(stream->fd(), F_SETFL, flags | O_NONBLOCK);
    return peer;
  }
  void TearDown() override { stream.reset(); }
};

TEST_F(StreamTest, WhatIsWrittenInOneTurnLeavesInOneSend) {
  Peer peer = join();
  stream->write("one ");
  stream->write("two ");
  stream->write("three");
  EXPECT_EQ(stream->queued(), 13U);
  loop.turn(false);
  EXPECT_EQ(stream->queued(), 0U);
  EXPECT_EQ(peer.read_some(), "one two three");
}

TEST_F(StreamTest, WhatComesTogetherIsReadInOneCall) {
  Peer peer = join();
  peer.send("a");
  peer.send("b");
  ASSERT_TRUE(turn_until(loop, [&] { return input.size() == 2; }));
  EXPECT_EQ(input, "ab");
}

TEST_F(StreamTest, AnEndOfTheOtherHalfIsNotAnError) {
  Peer peer = join();
  peer.send("last");
  peer.shut_down();
  ASSERT_TRUE(turn_until(loop, [&] { return ended; }));
  EXPECT_FALSE(error);
  stream->write("answer");
  stream->close();
  ASSERT_TRUE(turn_until(loop, [&] { return closed; }));
  EXPECT_EQ(peer.read_to_end(), "answer");
}

TEST_F(StreamTest, AResetIsAnErrorAndToldOnce) {
  Peer peer = join();
  peer.reset();
  ASSERT_TRUE(turn_until(loop, [&] { return ended; }));
  EXPECT_EQ(error, std::errc::connection_reset);
  ended = false;
  stream->write("into the void");
  for (int i = 0; i < 5; ++i) loop.turn(false);
  EXPECT_FALSE(ended);
}

TEST_F(StreamTest, APausedStreamDoesNotReadAndAResumedOneLosesNothing) {
  Peer peer = join();
  stream->pause();
  peer.send("later");
  for (int i = 0; i < 5; ++i) loop.turn(false);
  EXPECT_EQ(input, "");
  stream->resume();
  ASSERT_TRUE(turn_until(loop, [&] { return input == "later"; }));
}

TEST_F(StreamTest, APeerThatDoesNotReadFillsTheQueueAndReliefFollowsReading) {
  Peer peer = join();
  const Buffer block(64U << 10, 'x');
  std::size_t written = 0;
  for (int i = 0; i < 10'000 && !stream->full(); ++i) {
    stream->write(block);
    written += block.size();
    loop.turn(false);
  }
  ASSERT_TRUE(stream->full());
  EXPECT_TRUE(stream->stalled_since());
  EXPECT_LE(stream->queued(), kQueueMax + block.size());
  std::thread reader([&] {
    for (std::size_t got = 0; got < written;) got += peer.read_some().size();
  });
  EXPECT_TRUE(turn_until(loop, [&] { return relieved && stream->queued() == 0; }));
  EXPECT_FALSE(stream->stalled_since());
  reader.join();
}

TEST_F(StreamTest, TlsCarriesBothDirectionsAndLargeAmounts) {
  const auto files = testing::make_certificate(folder.path(), "im.test");
  const auto context = TlsContext::server(files.chain, files.key);
  Peer peer = join();
  stream->start_tls(*context, Tls::Role::server, {});
  stream->write("greeting");  // waits for the handshake
  const Buffer large(1U << 20, 'l');
  Buffer got;
  std::thread client([&] {
    peer.start_tls_client("im.test", files.chain);
    got = peer.read_until("greeting");
    peer.send(large);
    peer.shut_down();
  });
  EXPECT_TRUE(turn_until(loop, [&] { return ended; }));
  client.join();
  EXPECT_TRUE(secure);
  EXPECT_FALSE(error);
  EXPECT_EQ(got, "greeting");
  EXPECT_EQ(input, large);
}

TEST_F(StreamTest, StartTlsLeavesInClearWhatWasWrittenBefore) {
  const auto files = testing::make_certificate(folder.path(), "im.test");
  const auto context = TlsContext::server(files.chain, files.key);
  Peer peer = join();
  react = [&](Bytes octets) {
    if (octets != "STARTTLS\n") return;
    stream->write("PROCEED\n");
    stream->start_tls(*context, Tls::Role::server, {});
    stream->write("under TLS\n");
  };
  std::string clear, hidden;
  std::thread client([&] {
    peer.send("STARTTLS\n");
    clear = peer.read_until("\n");
    peer.start_tls_client("im.test", files.chain);
    hidden = peer.read_until("\n");
    peer.send("thanks");
  });
  EXPECT_TRUE(turn_until(loop, [&] { return input.ends_with("thanks"); }));
  client.join();
  EXPECT_EQ(clear, "PROCEED\n");
  EXPECT_EQ(hidden, "under TLS\n");
}

struct StreamClientTest : StreamTest {
  // The stream is the client; the peer shows a certificate for `shown`.
  void meet(const std::string& shown, const std::string& asked, bool verify, bool other_authority = false) {
    const auto files = testing::make_certificate(folder.path(), shown);
    const auto other = testing::make_certificate(folder.path(), shown, "other");
    const auto context = TlsContext::client(other_authority ? other.chain : files.chain, verify);
    Peer peer = join();
    std::thread server([&] {
      try {
        peer.start_tls_server(files);
        peer.send("hello");
      } catch (const std::runtime_error&) {  // refused by the client
      }
    });
    stream->start_tls(*context, Tls::Role::client, asked);
    EXPECT_TRUE(turn_until(loop, [&] { return ended || input == "hello"; }));
    stream->close();
    loop.turn(false);
    server.join();
  }
};

TEST_F(StreamClientTest, ATrustedCertificateOfThatNamePasses) {
  meet("im.test", "im.test", true);
  EXPECT_EQ(input, "hello");
}

TEST_F(StreamClientTest, AnAddressLiteralIsVerifiedToo) {
  meet("127.0.0.1", "127.0.0.1", true);
  EXPECT_EQ(input, "hello");
}

TEST_F(StreamClientTest, AnotherNameIsRefused) {
  meet("im.test", "bank.test", true);
  EXPECT_EQ(error, TlsError::wrong_name);
  EXPECT_EQ(input, "");
}

TEST_F(StreamClientTest, AnUnknownAuthorityIsRefused) {
  meet("im.test", "im.test", true, true);
  EXPECT_EQ(error, TlsError::untrusted);
}

TEST_F(StreamClientTest, WithoutVerificationAnyCertificatePasses) {
  meet("im.test", "bank.test", false, true);
  EXPECT_EQ(input, "hello");
}

TEST_F(StreamTest, GarbageInsteadOfAHandshakeIsAnError) {
  const auto files = testing::make_certificate(folder.path(), "im.test");
  const auto context = TlsContext::server(files.chain, files.key);
  Peer peer = join();
  stream->start_tls(*context, Tls::Role::server, {});
  peer.send("<stream:stream to='im.test'>");
  ASSERT_TRUE(turn_until(loop, [&] { return ended; }));
  EXPECT_EQ(error, TlsError::protocol);
}

TEST_F(StreamTest, AnEndInTheHandshakeIsAnError) {
  const auto files = testing::make_certificate(folder.path(), "im.test");
  const auto context = TlsContext::server(files.chain, files.key);
  Peer peer = join();
  stream->start_tls(*context, Tls::Role::server, {});
  peer.shut_down();
  ASSERT_TRUE(turn_until(loop, [&] { return ended; }));
  EXPECT_EQ(error, TlsError::closed);
}

TEST_F(StreamTest, AKeyOfAnotherCertificateIsNamed) {
  const auto one = testing::make_certificate(folder.path(), "im.test", "one");
  const auto two = testing::make_certificate(folder.path(), "im.test", "two");
  try {
    TlsContext::server(one.chain, two.key);
    FAIL() << "accepted";
  } catch (const std::runtime_error& error_seen) {
    EXPECT_NE(std::string(error_seen.what()).find("two.key"), std::string::npos) << error_seen.what();
  }
}

TEST_F(StreamTest, AListenerTellsWhoCame) {
  std::string who;
  Fd accepted;
  const Listener listener(loop, *Address::parse("127.0.0.1", 0), [&](Fd fd, const Address& peer) {
    accepted = std::move(fd);
    who = peer.host();
  });
  const Peer peer = Peer::connect(listener.local());
  ASSERT_TRUE(turn_until(loop, [&] { return static_cast<bool>(accepted); }));
  EXPECT_EQ(who, "127.0.0.1");
}

TEST(Loop, PostedTasksOfOtherThreadsRunInOrder) {
  Loop loop;
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 1'000; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.stop();
  });
  loop.run();
  other.join();
  ASSERT_EQ(seen.size(), 1'000U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

}  // namespace
}  // namespace chancery::net
