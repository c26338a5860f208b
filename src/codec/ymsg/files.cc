// Offers of files: by upload to the server (0x46), from person to person (0x4d), version 15's (0xdc).
#include <charconv>
#include <string>
#include <utility>

#include "codec/wire/watched.h"
#include "codec/ymsg/state.h"
#include "codec/ymsg/text.h"

namespace chancery::ymsg {
namespace {

constexpr std::uint32_t kOwn = 1;
constexpr std::uint32_t kFrom = 4;
constexpr std::uint32_t kTo = 5;
constexpr std::uint32_t kStep = 13;  // of 0x4d: 1 = offered
constexpr std::uint32_t kText = 14;
constexpr std::uint32_t kUrl = 20;
constexpr std::uint32_t kName = 27;
constexpr std::uint32_t kSize = 28;
constexpr std::uint32_t kKind = 49;     // of 0x4d
constexpr std::uint32_t kStep15 = 222;  // 1 = offered, 2 = cancelled, 3 = accepted, 4 = refused
constexpr std::uint32_t kId = 265;

bool is_offer(const Packet& packet) {
  if (packet.service == Service::file_transfer_15) return packet.value(kStep15) == "1";
  if (packet.service == Service::peer_file_transfer)
    return packet.value(kKind) == "FILEXFER" && packet.value(kStep) == "1";
  return packet.has(kName) || packet.has(kUrl);
}

void add_files(const Packet& packet, Event& event) {
  for (const Pair& pair : packet.pairs) {
    if (pair.key == kName) {
      File& file = event.files.emplace_back();
      file.name = decoded(pair.value);
      file.method = "ymsg";
    }
    std::uint64_t size = 0;
    const char* last = pair.value.data() + pair.value.size();
    if (pair.key == kSize && !event.files.empty() && std::from_chars(pair.value.data(), last, size).ptr == last)
      event.files.back().size = size;
  }
  if (event.files.empty()) event.files.emplace_back().method = "ymsg";
  event.files.front().url = decoded(packet.value(kUrl));
}

}  // namespace

void read_files(State& state, Unit& unit, const Packet& packet) {
  if (!is_offer(packet)) return;
  std::string from = decoded(packet.has(kFrom) ? packet.value(kFrom) : packet.value(kOwn));
  Event& event = add_between(state, unit, Kind::file_offer, std::move(from), decoded(packet.value(kTo)));
  event.id = decoded(packet.value(kId));
  add_files(packet, event);
  if (const Bytes words = packet.value(kText); !words.empty()) add_text(event, unit, words);
}

}  // namespace chancery::ymsg
