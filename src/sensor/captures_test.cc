// The captures of real programs (test/captures/data), disturbed as a mirror port disturbs: a packet that comes twice,
// two that change places, one that is missing. What is true of them undisturbed is held by test/e2e/test_captures.py.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sensor/capture/capture_file.h"
#include "sensor/classify/decider.h"
#include "sensor/sensor.h"
#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using testing::OwnFrame;

std::filesystem::path data() {
  return std::filesystem::path{CHANCERY_TESTDATA}.parent_path().parent_path().parent_path() / "test/captures/data";
}
constexpr std::size_t kPlacesMax = 32;  // disturbed in each way in one capture, spread over it: seconds, not minutes

struct Seen {
  std::vector<std::string> texts;      // of each leg, sorted
  std::set<std::string> applications;  // but those that only carry
};

class Listener final : public Observer {
 public:
  void message(const SeenMessage& seen) override { texts.emplace_back(seen.text); }
  void credential(const SeenCredential&) override {}
  void url(const SeenUrl&) override {}
  std::vector<std::string> texts;
};

Seen run(const std::vector<OwnFrame>& frames) {
  Listener listener;
  Sensor::Options options;
  options.also = &listener;
  DeciderOptions deciding;
  deciding.ndpi = false;  // slow to set up
  Sensor sensor{options, make_decider(deciding)};
  for (const OwnFrame& frame : frames) sensor.frame(frame.view());
  sensor.finish();
  Seen seen{std::move(listener.texts), {}};
  std::ranges::sort(seen.texts);
  for (const ApplicationSum& sum : sensor.summary().applications())
    if (sum.flows > 0 && sum.category != Category::other) seen.applications.insert(sum.name);
  return seen;
}

std::vector<OwnFrame> read(const std::filesystem::path& path) {
  std::vector<OwnFrame> frames;
  auto file = CaptureFile::open(path);
  EXPECT_TRUE(file) << path;
  if (!file) return frames;
  for (Frame frame; file->next(frame);)
    frames.push_back({Buffer{frame.octets}, frame.time, frame.link_type, frame.wire_length});
  return frames;
}

std::vector<std::size_t> places(std::size_t count) {
  std::vector<std::size_t> chosen;
  const std::size_t step = std::max<std::size_t>(1, (count + kPlacesMax - 1) / kPlacesMax);
  for (std::size_t i = 0; i < count; i += step) chosen.push_back(i);
  return chosen;
}

class Captures : public ::testing::TestWithParam<std::string> {};

TEST_P(Captures, DisturbedTheySayTheSame) {
  const std::vector<OwnFrame> frames = read(data() / GetParam());
  ASSERT_FALSE(frames.empty());
  const Seen whole = run(frames);
  for (const std::size_t i : places(frames.size())) {
    auto twice = frames;
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), frames[i]);
    const Seen seen = run(twice);
    EXPECT_EQ(seen.texts, whole.texts) << "packet " << i << " twice";
    EXPECT_EQ(seen.applications, whole.applications) << "packet " << i << " twice";
  }
  for (const std::size_t i : places(frames.size() - 1)) {
    auto swapped = frames;
    std::swap(swapped[i].octets, swapped[i + 1].octets);
    std::swap(swapped[i].wire_length, swapped[i + 1].wire_length);
    const Seen seen = run(swapped);
    EXPECT_EQ(seen.texts, whole.texts) << "packets " << i << " and the next one swapped";
    EXPECT_EQ(seen.applications, whole.applications) << "packets " << i << " and the next one swapped";
  }
}

TEST_P(Captures, WithAGapTheyInventNothing) {
  const std::vector<OwnFrame> frames = read(data() / GetParam());
  const Seen whole = run(frames);
  for (const std::size_t i : places(frames.size())) {
    auto without = frames;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    const Seen seen = run(without);
    EXPECT_TRUE(std::ranges::includes(whole.texts, seen.texts)) << "without packet " << i;
    EXPECT_TRUE(std::ranges::includes(whole.applications, seen.applications)) << "without packet " << i;
  }
}

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator{data()})
    if (const std::string name = entry.path().filename(); !name.ends_with(".tsv")) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Real, Captures, ::testing::ValuesIn(files()),
                         [](const auto& each) { return each.param.substr(0, each.param.find('.')); });

}  // namespace
}  // namespace chancery::sensor
