#include "sensor/report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using ::testing::HasSubstr;

TEST(Spool, RowsComeBackInOrderFromMemoryAndFile) {
  for (const std::size_t rows : {0U, 3U, 200'000U}) {
    Spool spool;
    std::string expected, got;
    for (std::size_t i = 0; i < rows; ++i) {
      spool.add(std::to_string(i));
      expected += (i > 0 ? "," : "") + std::to_string(i);
    }
    ASSERT_TRUE(spool.read([&](std::string_view piece) { got += piece; }));
    EXPECT_EQ(got, expected);
    EXPECT_EQ(spool.rows(), rows);
  }
}

TEST(Timeline, StepsGrowWithTheCaptureAndNothingIsLost) {
  Timeline timeline;
  const Instant begin = from_unix_ns(1'700'000'000'000'000'000);
  for (int i = 0; i < 100'000; ++i) timeline.add(i % 3 == 0 ? 1 : 0, begin + std::chrono::seconds{i}, 10);
  std::uint64_t first = 0, other = 0;
  for (std::size_t i = 0; i < Timeline::kSteps; ++i) {
    first += timeline.at(1, i);
    other += timeline.at(0, i);
  }
  EXPECT_EQ(first + other, 1'000'000U);
  EXPECT_EQ(first, 333'340U);
  EXPECT_LE(timeline.used(), Timeline::kSteps);
  EXPECT_GE(timeline.step() * static_cast<std::int64_t>(Timeline::kSteps), std::chrono::seconds{100'000});
}

TEST(Timeline, DamagedTimesAreCountedAtTheEdges) {
  Timeline timeline;
  const Instant begin = from_unix_ns(1'700'000'000'000'000'000);
  for (const Instant time : {begin, Instant::min(), Instant::max(), from_unix_ns(0), begin}) timeline.add(0, time, 1);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < Timeline::kSteps; ++i) sum += timeline.at(0, i);
  EXPECT_EQ(sum, 5U);
}

TEST(Summary, AnEmptyCaptureHasAWholeDocument) {
  Summary summary{{}};
  std::string json;
  ASSERT_TRUE(summary.write_json([&](std::string_view piece) { json += piece; }));
  EXPECT_THAT(
      json, HasSubstr(R"({"packets":0,"bytes":0,"first":null,"last":null,"applications":[],"flows":[],"messages":[])"));
  EXPECT_THAT(json, HasSubstr(R"("unnamed":{"flows":0)"));
}

}  // namespace
}  // namespace chancery::sensor
