// Messages between two people.
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/wire/watched.h"
#include "codec/ymsg/state.h"
#include "codec/ymsg/text.h"

namespace chancery::ymsg {
namespace {

constexpr std::uint32_t kOwn = 1;
constexpr std::uint32_t kFrom = 4;
constexpr std::uint32_t kTo = 5;
constexpr std::uint32_t kText = 14;
constexpr std::uint32_t kTime = 15;
constexpr std::uint32_t kSystemText = 16;
constexpr std::uint32_t kId = 429;
constexpr Bytes kNudge{"<ding>"};

struct Said {
  Bytes own;
  Bytes from;
  Bytes to;
  std::optional<Bytes> text;
  Bytes time;  // it was kept by the server: seconds since 1970
  Bytes id;

  Bytes* field(std::uint32_t key) {
    switch (key) {
      case kOwn:
        return &own;
      case kFrom:
        return &from;
      case kTo:
        return &to;
      case kTime:
        return &time;
      case kId:
        return &id;
      default:
        return nullptr;
    }
  }
};

// One packet may hold several messages that the server kept: a name or text again begins the next.
std::vector<Said> split(const Packet& packet) {
  std::vector<Said> all(1);
  for (const Pair& pair : packet.pairs) {
    Bytes* field = all.back().field(pair.key);
    const bool again = field ? !field->empty() : pair.key == kText && all.back().text.has_value();
    if (again && all.back().text) field = all.emplace_back().field(pair.key);
    if (field) *field = pair.value;
    if (pair.key == kText) all.back().text = pair.value;
  }
  return all;
}

std::optional<Instant> time_of(Bytes digits) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Instant{std::chrono::seconds{seconds}};
}

void add_said(const State& state, Unit& unit, const Said& said) {
  if (!said.text || said.text->empty() || *said.text == kNudge) return;
  std::string from = decoded(said.from.empty() ? said.own : said.from);
  Event& event = add_between(state, unit, Kind::message, std::move(from), decoded(said.to));
  event.id = decoded(said.id);
  event.stated_time = time_of(said.time);
  if (event.stated_time && unit.from == Side::server) event.copy = Copy::delayed;
  add_text(event, unit, *said.text);
}

}  // namespace

void read_talk(State& state, Unit& unit, const Packet& packet) {
  if (packet.service == Service::system_message) {
    const Bytes text = packet.has(kText) ? packet.value(kText) : packet.value(kSystemText);
    if (unit.from == Side::client || text.empty()) return;
    Event& event = add_between(state, unit, Kind::message, {}, {});
    event.detail = "system";
    add_text(event, unit, text);
    return;
  }
  for (const Said& said : split(packet)) add_said(state, unit, said);
}

}  // namespace chancery::ymsg
