#include "sensor/flow/stream.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <utility>

namespace chancery::sensor {
namespace {

class Collected final : public StreamOutput {
 public:
  void octets(Bytes octets, Instant time) override {
    text.append(octets);
    last = time;
  }
  void lost(std::uint32_t count) override { text += "[" + std::to_string(count) + "]"; }
  void finished() override { text += "."; }
  std::string text;
  Instant last;
};

class StreamTest : public ::testing::Test {
 protected:
  StreamContext context() { return {pool_, skipped_, out_, now_}; }
  void put(std::uint32_t sequence, Bytes octets, bool fin = false, std::uint32_t missing = 0) {
    stream_.segment({sequence, octets, missing, fin}, context());
    step();
  }
  void step() {
    stream_.tick(context());
    now_ += std::chrono::milliseconds{1};
  }
  ~StreamTest() override {
    stream_.drop(pool_);
    EXPECT_EQ(pool_.used(), 0U);
  }

  SegmentPool pool_{64};
  SkipCounts skipped_;
  Collected out_;
  Stream stream_;
  Instant now_ = from_unix_ns(1'000'000'000);
};

TEST_F(StreamTest, SegmentsInOrderPassAtOnce) {
  stream_.open(100, context());
  put(100, "ab");
  put(102, "cd", true);
  EXPECT_EQ(out_.text, "abcd.");
}

TEST_F(StreamTest, WhatCameTooEarlyWaitsAndHasTheTimeOfWhatWasMissing) {
  stream_.open(100, context());
  put(102, "cd");
  put(106, "gh", true);
  put(104, "ef");
  EXPECT_EQ(out_.text, "");
  const Instant filled = now_;
  put(100, "ab");
  EXPECT_EQ(out_.text, "abcdefgh.");
  EXPECT_EQ(out_.last, filled);
}

TEST_F(StreamTest, RetransmissionsAreNotReadTwice) {
  stream_.open(100, context());
  put(100, "abcd");
  put(100, "abcd");
  put(102, "cdef");
  EXPECT_EQ(out_.text, "abcdef");
}

TEST_F(StreamTest, OfOverlapsTheFirstOctetsCount) {
  stream_.open(100, context());
  put(102, "CD");
  put(101, "xyzE");  // b, and another text for what is held
  put(100, "A");
  EXPECT_EQ(out_.text, "AxCDE");
  EXPECT_EQ(skipped_.of(Skip::overlap_conflict), 1U);
}

TEST_F(StreamTest, SequenceNumbersWrap) {
  stream_.open(0xfffffffe, context());
  put(0, "cd");
  put(0xfffffffe, "ab");
  put(2, "ef");
  EXPECT_EQ(out_.text, "abcdef");
}

TEST_F(StreamTest, WhatTheReceiverAcknowledgedButNobodySawIsAGap) {
  stream_.open(100, context());
  put(100, "ab");
  put(107, "hi");
  stream_.acknowledged(109);
  EXPECT_EQ(out_.text, "ab");  // the capture may only be out of order
  for (int i = 0; i < Stream::kGapPackets; ++i) step();
  EXPECT_EQ(out_.text, "ab[5]hi");
  EXPECT_EQ(skipped_.of(Skip::lost), 1U);
}

TEST_F(StreamTest, AReorderedCaptureIsNoGap) {
  stream_.open(100, context());
  stream_.acknowledged(104);  // the acknowledgement was captured first
  put(102, "cd");
  put(100, "ab");
  EXPECT_EQ(out_.text, "abcd");
}

TEST_F(StreamTest, AForgedSegmentAheadDoesNotMoveTheStream) {
  stream_.open(100, context());
  stream_.acknowledged(100);
  put(5'000, "forged");
  for (int i = 0; i < 300; ++i) step();
  put(100, "ab");
  EXPECT_EQ(out_.text, "ab");
  EXPECT_EQ(skipped_.of(Skip::out_of_window), 1U);
}

TEST_F(StreamTest, OneDirectionAloneGoesOnBehindAGapAfterPatience) {
  stream_.open(100, context());
  put(110, "kl");
  for (int i = 0; i < Stream::kPatience; ++i) step();
  EXPECT_EQ(out_.text, "[10]kl");
}

TEST_F(StreamTest, JoinedInTheMiddleTheEarliestOfTheFirstPacketsBegins) {
  put(504, "ef");
  put(500, "abcd");
  put(506, "gh");
  EXPECT_EQ(out_.text, "abcdefgh");
  EXPECT_EQ(skipped_.of(Skip::lost), 0U);
}

TEST_F(StreamTest, ASingleSegmentIsReadWhenTheFlowEnds) {
  put(500, "abc");
  stream_.flush(context());
  EXPECT_EQ(out_.text, "abc");
}

TEST_F(StreamTest, TheSnapLengthLeavesAGapOfKnownSize) {
  stream_.open(100, context());
  put(100, "ab", false, 8);
  put(110, "kl");
  EXPECT_EQ(out_.text, "ab[8]kl");
}

TEST_F(StreamTest, TheEndDeliversWhatIsHeldBehindGaps) {
  stream_.open(100, context());
  put(102, "cd");
  put(106, "gh", true);
  stream_.flush(context());
  EXPECT_EQ(out_.text, "[2]cd[2]gh.");
}

TEST_F(StreamTest, WhatIsHeldIsBounded) {
  stream_.open(100, context());
  for (std::uint32_t i = 0; i < 2'000; ++i) put(200 + 4 * i, "abcd");
  EXPECT_LE(pool_.used(), 64U);
  EXPECT_GT(skipped_.of(Skip::segments_limit), 0U);
}

// Whatever the order, duplicates and cuts: the same octets come out.
TEST_F(StreamTest, AnyOrderOfOverlappingSegmentsGivesTheSameText) {
  const std::string text = "The quick brown fox jumps over the lazy dog, twice and again.";
  std::uint64_t state = 88'172'645'463'325'252ULL;
  const auto random = [&](std::size_t below) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    return static_cast<std::size_t>(state % below);
  };
  for (int round = 0; round < 500; ++round) {
    Stream stream;
    Collected out;
    SegmentPool pool{256};
    const StreamContext context{pool, skipped_, out, now_};
    const auto base = static_cast<std::uint32_t>(random(UINT32_MAX));
    stream.open(base, context);
    std::vector<std::pair<std::size_t, std::size_t>> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random(7);
      pieces.emplace_back(at, std::min(text.size(), at + size + random(4)) - at);
      at += size;
    }
    for (std::size_t i = pieces.size(); i-- > 1;) std::swap(pieces[i], pieces[random(i + 1)]);
    for (const auto& [at, size] : pieces) {
      stream.segment({base + static_cast<std::uint32_t>(at), std::string_view{text}.substr(at, size), 0, false},
                     context);
      if (random(3) == 0)
        stream.segment({base + static_cast<std::uint32_t>(at), std::string_view{text}.substr(at, size), 0, false},
                       context);
    }
    EXPECT_EQ(out.text, text);
    EXPECT_EQ(pool.used(), 0U);
  }
}

}  // namespace
}  // namespace chancery::sensor
