// The whole way from a capture to codecs. The first octet says how the rest is read: even, as a capture file; odd, as
// conversations: an octet (bit 0: side, bit 1: UDP, bits 2-3: which flow, bits 4-5: in order, again, ahead, lost), one
// of length, and the octets said. The second reaches codecs that a fuzzer would hardly reach through headers.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sensor/capture/capture_file.h"
#include "sensor/classify/decider.h"
#include "sensor/sensor.h"
#include "sensor/testing/memory_source.h"
#include "sensor/testing/packet_writer.h"

namespace {

using namespace chancery;
using namespace chancery::sensor;

std::unique_ptr<Sensor> make() {
  Sensor::Options options;
  options.flows.flows_max = 64;
  options.flows.undecided_max = 32;
  options.flows.segments_max = 128;
  DeciderOptions deciding;
  deciding.ndpi = false;  // not ours to fuzz, and slow to set up
  return std::make_unique<Sensor>(options, make_decider(deciding));
}

void read_file(Bytes octets, Sensor& sensor) {
  auto file = CaptureFile::read("input", std::make_unique<testing::MemorySource>(Buffer{octets}), octets.size());
  if (!file) return;
  for (Frame frame; file->next(frame);) sensor.frame(frame);
}

void read_talks(Bytes octets, Sensor& sensor) {
  std::vector<testing::Talk> talks;
  for (std::uint16_t port = 0; port < 4; ++port)
    talks.emplace_back(Endpoint{testing::endpoint("192.0.2.1:1").address, static_cast<std::uint16_t>(40'000 + port)},
                       testing::endpoint("192.0.2.2:5000"), from_unix_ns(1'700'000'000'000'000'000));
  for (int i = 0; i < 3; ++i) talks[static_cast<std::size_t>(i)].handshake();  // the fourth is joined midway
  std::vector<testing::OwnFrame> frames;
  std::vector<std::size_t> taken(talks.size());
  const auto take_new = [&](std::size_t which) {
    const auto& made = talks[which].frames();
    frames.insert(frames.end(), made.begin() + static_cast<std::ptrdiff_t>(taken[which]), made.end());
    taken[which] = made.size();
  };
  for (std::size_t i = 0; i < talks.size(); ++i) take_new(i);
  while (octets.size() >= 2) {
    const auto how = static_cast<unsigned char>(octets[0]);
    const Bytes said = octets.substr(2, static_cast<unsigned char>(octets[1]));
    octets.remove_prefix(2 + said.size());
    const std::size_t which = how >> 2U & 3U;
    const Side from = (how & 1U) != 0 ? Side::server : Side::client;
    testing::Talk& talk = talks[which];
    if ((how & 2U) != 0) {
      talk.datagram(from, said);
      take_new(which);
      continue;
    }
    talk.say(from, said);
    switch (how >> 4U & 3U) {
      case 1:  // again
        take_new(which);
        if (frames.size() >= 2) frames.push_back(frames[frames.size() - 2]);
        break;
      case 2: {  // ahead of what was before
        const std::size_t before = frames.size();
        take_new(which);
        if (before > 0 && frames.size() > before) std::swap(frames[before - 1], frames[before]);
        break;
      }
      case 3:  // lost
        taken[which] = talk.frames().size();
        break;
      default:
        take_new(which);
    }
  }
  for (const testing::OwnFrame& frame : frames) sensor.frame(frame.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes octets{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto sensor = make();
  if (data[0] % 2 == 0)
    read_file(octets, *sensor);
  else
    read_talks(octets, *sensor);
  sensor->finish();
  std::string json;
  (void)sensor->summary().write_json([&](std::string_view piece) { json += piece; });
  return 0;
}
