#include "sensor/sensor.h"

#include <algorithm>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "sensor/capture/capture_file.h"
#include "sensor/classify/decider.h"
#include "sensor/report/html.h"
#include "sensor/report/table.h"
#include "sensor/testing/memory_source.h"
#include "sensor/testing/samples.h"

namespace chancery::sensor {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

class Listener final : public Observer {
 public:
  void message(const SeenMessage& seen) override {
    messages.push_back(std::string{seen.from} + ">" + std::string{seen.to} + ": " + std::string{seen.text} +
                       (seen.copy_of ? " =" + std::to_string(*seen.copy_of) : ""));
    times.push_back(seen.time);
  }
  void credential(const SeenCredential&) override {}
  void url(const SeenUrl&) override {}
  std::vector<std::string> messages;
  std::vector<Instant> times;
};

struct Result {
  std::vector<std::string> messages, applications;
  std::vector<Instant> times;
  std::string json, table, html;
};

std::unique_ptr<Sensor> make_sensor(Listener& listener) {
  Sensor::Options options;
  options.also = &listener;
  DeciderOptions deciding;
  deciding.ndpi = false;  // slow to set up, and nothing here needs it
  return std::make_unique<Sensor>(options, make_decider(deciding));
}

Result result_of(Sensor& sensor, Listener& listener) {
  sensor.finish();
  Result result;
  result.messages = listener.messages;
  result.times = listener.times;
  for (const ApplicationSum& sum : sensor.summary().applications())
    if (sum.flows > 0) result.applications.push_back(sum.name);
  EXPECT_TRUE(sensor.summary().write_json([&](std::string_view piece) { result.json += piece; }));
  result.table = to_table(sensor.summary());
  result.html = to_html(sensor.summary());
  return result;
}

Result run(const std::vector<OwnFrame>& frames) {
  Listener listener;
  const auto sensor = make_sensor(listener);
  for (const OwnFrame& frame : frames) sensor->frame(frame.view());
  return result_of(*sensor, listener);
}

TEST(Sensor, EachSampleIsNamedAndRead) {
  for (const Sample& sample : samples()) {
    const Result result = run(sample.frames);
    EXPECT_EQ(result.messages, sample.messages) << sample.name;
    for (const std::string& application : sample.applications)
      EXPECT_THAT(result.applications, ::testing::Contains(application)) << sample.name;
  }
}

// The time of a message is that of the packet that completed it.
TEST(Sensor, AMessageHasThePacketsTime) {
  const Sample sample = samples().front();
  const Result result = run(sample.frames);
  const auto frame = std::ranges::find_if(
      sample.frames, [](const OwnFrame& each) { return each.octets.find("PRIVMSG #tea :hello") != Buffer::npos; });
  ASSERT_FALSE(result.times.empty());
  EXPECT_EQ(result.times[0], frame->time);
}

// What comes twice or in another order than it was sent changes nothing.
TEST(Sensor, ADuplicateOrASwapAtEachPacketChangesNoMessage) {
  for (const Sample& sample : samples()) {
    auto expected = sample.messages;
    std::ranges::sort(expected);
    for (std::size_t i = 0; i < sample.frames.size(); ++i) {
      auto twice = sample.frames;
      twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), sample.frames[i]);
      auto swapped = sample.frames;
      if (i + 1 < swapped.size()) std::swap(swapped[i].octets, swapped[i + 1].octets);
      auto read_twice = run(twice).messages;
      std::ranges::sort(read_twice);
      EXPECT_EQ(read_twice, expected) << sample.name << ", packet " << i << " twice";
      // Which leg is the first, and what midway is known of the own name, does depend on the order: compare the texts.
      const auto texts = [](std::vector<std::string> messages) {
        for (std::string& message : messages)
          message = message.substr(message.find(": "), message.find(" =") - message.find(": "));
        std::ranges::sort(messages);
        return messages;
      };
      EXPECT_EQ(texts(run(swapped).messages), texts(expected)) << sample.name << ", packet " << i << " swapped";
    }
  }
}

// A packet that was not captured loses at most what it carried: all else is read, and nothing is invented.
TEST(Sensor, AGapAtEachPacketLosesAtMostWhatItTouched) {
  for (const Sample& sample : samples()) {
    for (std::size_t i = 0; i < sample.frames.size(); ++i) {
      auto frames = sample.frames;
      frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(i));
      for (const std::string& message : run(frames).messages) {
        const std::string text = message.substr(message.find(": "), message.find(" =") - message.find(": "));
        EXPECT_TRUE(
            std::ranges::any_of(sample.messages, [&](const std::string& each) { return each.find(text) != each.npos; }))
            << sample.name << ", without packet " << i << ": " << message;
      }
    }
  }
}

TEST(Sensor, DamagedCapturesAreReadAsFarAsTheyGo) {
  std::uint64_t state = 88'172'645'463'325'252ULL;
  const auto random = [&](std::size_t below) {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    return static_cast<std::size_t>(state % below);
  };
  for (const Sample& sample : samples())
    for (const Buffer& whole : {pcap_file(sample.frames), pcapng_file(sample.frames)})
      for (int round = 0; round < 150; ++round) {
        Buffer damaged = whole;
        for (std::size_t change = 0; change <= random(12); ++change)
          damaged[random(damaged.size())] = static_cast<char>(random(4) == 0 ? 0xff : random(256));
        if (random(3) == 0) damaged.resize(random(damaged.size()));
        auto file = CaptureFile::read("damaged", std::make_unique<MemorySource>(damaged, 1 + random(5'000)), 0);
        if (!file) continue;
        Listener listener;
        const auto sensor = make_sensor(listener);
        std::uint64_t frames = 0;
        for (Frame frame; file->next(frame); ++frames) sensor->frame(frame);
        EXPECT_EQ(sensor->summary().packets(), frames);
        (void)result_of(*sensor, listener);
      }
}

TEST(Report, NamesFromTheWireAreEscaped) {
  Talk talk{endpoint("192.0.2.1:40001"), endpoint("198.51.100.7:80"), from_unix_ns(1'700'000'000'000'000'000)};
  talk.handshake().say_client("GET / HTTP/1.1\r\nHost: <script>alert(1)</script>\r\n\r\n");
  const Result result = run(talk.frames());
  EXPECT_THAT(result.html, Not(HasSubstr("<script>")));
  EXPECT_THAT(result.html, HasSubstr("</html>"));
}

TEST(Report, TheThreeViewsAgree) {
  const Result result = run(samples().front().frames);
  EXPECT_THAT(result.table, HasSubstr("Messengers"));
  EXPECT_THAT(result.table, HasSubstr("IRC"));
  EXPECT_THAT(result.table, HasSubstr("2 messages (4 legs seen)"));
  EXPECT_THAT(result.html, HasSubstr("<polyline"));
  EXPECT_THAT(result.html, HasSubstr("2 messages"));
  EXPECT_THAT(result.json, HasSubstr(R"("name":"IRC","category":"im","flows":2)"));
  EXPECT_THAT(result.json, HasSubstr(R"("copy_of":0)"));
}

}  // namespace
}  // namespace chancery::sensor
