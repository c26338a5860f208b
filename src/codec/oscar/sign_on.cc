// Who signs in: FLAP sign-on, family 0x0017 (log-in), 0x0001 (services).
#include <fmt/format.h>
#include <string>
#include <utility>

#include "codec/oscar/state.h"
#include "codec/oscar/tlv.h"
#include "codec/wire/watched.h"

namespace chancery::oscar {
namespace {

constexpr std::uint16_t kName = 0x0001;
constexpr std::uint16_t kRoastedPassword = 0x0002;
constexpr std::uint16_t kCookie = 0x0006;
constexpr std::uint16_t kError = 0x0008;
constexpr std::uint16_t kOldPassword = 0x0012;
constexpr std::uint16_t kPasswordDigest = 0x0025;

void add_sign_in(Unit& unit, std::string_view name, bool accepted, std::string detail) {
  Event& event = unit.events.emplace_back();
  event.kind = Kind::sign_in;
  event.scope = Scope::network;
  event.from = name;
  event.accepted = accepted;
  event.detail = std::move(detail);
}

// A log-in's answer: a cookie for the main connection, or an error.
void read_answer(State& state, Unit& unit, Bytes block) {
  if (const auto name = find_tlv(block, kName); name && !name->empty()) state.claimed = name_text(*name);
  const auto cookie = find_tlv(block, kCookie);
  if (cookie && !cookie->empty()) {
    add_secret(unit, *cookie, "cookie");
    if (state.cookies) state.cookies->remember(*cookie, state.claimed);
    add_sign_in(unit, state.claimed, true, state.mechanism);
  } else if (const auto error = find_tlv(block, kError)) {
    Octets code{*error};
    add_sign_in(unit, state.claimed, false, fmt::format("error {}", code.u16()));
  }
}

void learn_credentials(State& state, Unit& unit, Bytes block) {
  Octets in{block};
  while (const auto tlv = next_tlv(in)) {
    if (tlv->type == kName) state.claimed = name_text(tlv->value);
    if (tlv->type == kRoastedPassword || tlv->type == kPasswordDigest) {
      state.mechanism = tlv->type == kRoastedPassword ? "roasted password" : "MD5 challenge";
      add_secret(unit, tlv->value, "password");
    }
    if (tlv->type != kCookie) continue;
    add_secret(unit, tlv->value, "cookie");
    if (state.cookies && state.name.empty()) state.name = state.cookies->name_of(tlv->value);
  }
}

}  // namespace

void read_sign_on(State& state, Unit& unit) {
  const Bytes payload = payload_of(unit.wire);
  constexpr std::size_t kVersion = 4;
  if (payload.size() > kVersion) learn_credentials(state, unit, payload.substr(kVersion));
}

void read_sign_off(State& state, Unit& unit) {
  if (!state.signed_in) read_answer(state, unit, payload_of(unit.wire));
}

void read_log_in(State& state, Unit& unit, const Snac& snac) {
  if (unit.from == Side::client && (snac.subtype == 0x02 || snac.subtype == 0x06))
    learn_credentials(state, unit, snac.body);
  if (unit.from == Side::server && snac.subtype == 0x03) read_answer(state, unit, snac.body);
}

void read_services(State& state, Unit& unit, const Snac& snac) {
  if (unit.from == Side::client) return;
  if (snac.subtype == 0x05) {  // where a service is, and the cookie for it
    const auto cookie = find_tlv(snac.body, kCookie);
    if (!cookie) return;
    add_secret(unit, *cookie, "cookie");
    if (state.cookies) state.cookies->remember(*cookie, state.name);
  }
  if (snac.subtype != 0x0f) return;  // one's own user information
  Octets in{snac.body};
  const Bytes name = take_user(in);
  if (name.empty()) return;
  state.name = name_text(name);
  if (std::exchange(state.signed_in, true)) return;
  add_sign_in(unit, state.name, true, state.mechanism.empty() ? "cookie" : state.mechanism);
}

void read_account(Unit& unit, const Snac& snac) {
  if (unit.from != Side::client || snac.subtype != 0x04) return;
  for (const std::uint16_t type : {kRoastedPassword, kOldPassword})
    if (const auto value = find_tlv(snac.body, type)) add_secret(unit, *value, "password");
}

}  // namespace chancery::oscar
