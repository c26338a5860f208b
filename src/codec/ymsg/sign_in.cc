// Who signs in, and what of it must not be stored.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>
#include <string>
#include <utility>

#include "codec/wire/watched.h"
#include "codec/ymsg/state.h"
#include "codec/ymsg/text.h"

namespace chancery::ymsg {
namespace {

constexpr std::uint32_t kOwn = 1;
constexpr std::uint32_t kError = 66;

// Answers to a challenge: 6, 96 (two halves), 307 (version 16). Cookies: 59, 277 (Y), 278 (T). Tokens: 317.
constexpr auto kAnswers = std::to_array<std::uint32_t>({6, 96, 307});
constexpr auto kCookies = std::to_array<std::uint32_t>({59, 277, 278, 317});

void hide(Unit& unit, const Packet& packet, std::span<const std::uint32_t> keys, std::string_view what) {
  for (const Pair& pair : packet.pairs)
    if (std::ranges::find(keys, pair.key) != keys.end()) add_secret(unit, pair.value, what);
}

void add_sign_in(const State& state, Unit& unit, bool accepted, std::string detail) {
  Event& event = unit.events.emplace_back();
  event.kind = Kind::sign_in;
  event.scope = Scope::network;
  event.from = state.name;
  event.accepted = accepted;
  event.detail = std::move(detail);
}

void learn_name(State& state, const Unit& unit, const Packet& packet) {
  if (!state.name.empty()) return;
  // 1 is the signed-in person in what a client sends, and in what a server sends about rooms and lists; 0 in a log-in.
  const bool says = unit.from == Side::client || packet.service == Service::auth || packet.service == Service::list ||
                    packet.service == Service::list_15 || packet.service == Service::conference_message;
  Bytes own = packet.value(kOwn);
  if (own.empty() && packet.service == Service::auth_response) own = packet.value(0);
  // From its peer a client learns who it is by to whom it is said.
  if (unit.from == Side::server && packet.service == Service::message && packet.has(4))
    own = packet.value(5);
  else if (!says)
    return;
  state.name = decoded(own);
}

bool is_list(Service service) {
  return service == Service::list || service == Service::list_15 || service == Service::logon;
}

}  // namespace

void read_sign_in(State& state, Unit& unit, const Packet& packet) {
  hide(unit, packet, kCookies, "cookie");
  if (packet.service == Service::auth_response || packet.service == Service::web_login) {
    hide(unit, packet, kAnswers, "password");
    if (unit.from == Side::client) state.asked = true;
  }
  learn_name(state, unit, packet);
  if (unit.from == Side::client || state.signed_in || !state.asked) return;
  if (packet.service == Service::auth_response && packet.has(kError)) {
    add_sign_in(state, unit, false, fmt::format("error {}", decoded(packet.value(kError))));
  } else if (is_list(packet.service)) {
    state.signed_in = true;
    add_sign_in(state, unit, true, "challenge");
  }
}

}  // namespace chancery::ymsg
