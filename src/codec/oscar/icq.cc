// Family 0x0015: what ICQ's server keeps for one who was away.
#include <chrono>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>

#include "codec/oscar/icbm.h"
#include "codec/oscar/text.h"
#include "codec/wire/watched.h"

namespace chancery::oscar {
namespace {

constexpr std::uint16_t kRequest = 0x02;
constexpr std::uint16_t kAnswer = 0x03;
constexpr std::uint16_t kData = 0x0001;
constexpr std::uint16_t kOffline = 0x0041;
constexpr std::uint16_t kMeta = 0x07d0;
constexpr std::uint16_t kSetPassword = 0x042e;

std::optional<Instant> take_time(Octets& in) {
  const std::chrono::year year{in.u16_le()};
  const std::chrono::month month{in.u8()};
  const std::chrono::day day{in.u8()};
  const std::chrono::hours hours{in.u8()};
  const std::chrono::minutes minutes{in.u8()};
  const std::chrono::year_month_day date{year, month, day};
  constexpr int kYearMax = 2261;  // what an Instant can hold
  if (!date.ok() || int{year} > kYearMax || int{year} < 1970) return std::nullopt;
  return Instant{std::chrono::sys_days{date}} + hours + minutes;
}

void read_offline(Unit& unit, const std::string& number, Octets in) {
  Event event;
  event.copy = Copy::delayed;
  event.from = fmt::format("{}", in.u32_le());
  event.to = {number};
  event.stated_time = take_time(in);
  const std::uint8_t type = in.u8();
  in.u8();
  const Bytes source = in.take(in.u16_le());
  if (!in.ok() || !carries_icq_text(type)) return;
  if (type != kIcqPlain) event.detail = fmt::format("icq type {}", type);
  add_icq_text(event, unit, source);
  unit.events.push_back(std::move(event));
}

}  // namespace

void read_icq(State& state, Unit& unit, const Snac& snac) {
  const auto block = find_tlv(snac.body, kData);
  if (!block || (snac.subtype != kRequest && snac.subtype != kAnswer)) return;
  Octets in{*block};
  in.u16_le();  // length
  const std::uint32_t number = in.u32_le();
  const std::uint16_t type = in.u16_le();
  in.u16_le();  // sequence
  if (!in.ok()) return;
  if (state.name.empty()) state.name = fmt::format("{}", number);
  if (snac.subtype == kAnswer && type == kOffline) read_offline(unit, state.name, in);
  if (snac.subtype == kRequest && type == kMeta && in.u16_le() == kSetPassword)
    add_secret(unit, in.take(in.u16_le()), "password");
}

}  // namespace chancery::oscar
