// Who signs in, who is in a switchboard, and what of it must not be stored.
#include <fmt/format.h>
#include <utility>

#include "codec/msnp/state.h"
#include "codec/wire/charset.h"
#include "codec/wire/watched.h"

namespace chancery::msnp {
namespace {

void add_sign_in(Unit& unit, std::string who, bool accepted, std::string detail) {
  Event& event = unit.events.emplace_back();
  event.kind = Kind::sign_in;
  event.scope = Scope::network;
  event.from = std::move(who);
  event.accepted = accepted;
  event.detail = std::move(detail);
}

// To the notification server: USR n MD5|TWN|SSO I address, then USR n … S answer…. To a switchboard: USR n address key.
void read_client_usr(State& state, Unit& unit, const Command& command) {
  const Bytes second = command.param(1);
  if (is_address(second)) {
    state.address = address_of(second);
    add_secret(unit, command.param(2), "switchboard-key");
    return;
  }
  state.mechanism = second == "MD5" ? "MD5 challenge" : from_unstated(second);
  if (command.param(2) == "I" && is_address(command.param(3))) state.address = address_of(command.param(3));
  if (command.param(2) != "S") return;
  for (std::size_t i = 3; i < command.params.size(); ++i)
    add_secret(unit, command.param(i), second == "MD5" ? "password" : "ticket");
}

// A switchboard's answer is no sign-in: that was before, to the notification server. Only there a mechanism was named.
void read_server_usr(State& state, Unit& unit, const Command& command) {
  if (command.param(1) == "OK") {
    if (is_address(command.param(2))) state.address = address_of(command.param(2));
    if (!state.mechanism.empty() && !std::exchange(state.signed_in, true))
      add_sign_in(unit, state.address, true, state.mechanism);
  }
}

// 911 authentication failed, 910 busy, 913 not accepted while offline, 928 bad ticket.
bool is_refusal(Bytes name) { return name == "911" || name == "928" || name == "910" || name == "913"; }

}  // namespace

void read_sign_in(State& state, Unit& unit, const Command& command) {
  if (command.name == "USR" && unit.from == Side::client) read_client_usr(state, unit, command);
  if (command.name == "USR" && unit.from == Side::server) read_server_usr(state, unit, command);
  if (command.name == "ANS" && unit.from == Side::client) add_secret(unit, command.param(2), "switchboard-key");
  if (command.name == "XFR" && command.param(3) == "CKI") add_secret(unit, command.param(4), "switchboard-key");
  if (command.name == "RNG") add_secret(unit, command.param(3), "switchboard-key");
  if (unit.from == Side::server && is_refusal(command.name) && !state.signed_in && !state.mechanism.empty())
    add_sign_in(unit, state.address, false, fmt::format("error {}", command.name));
}

void read_membership(State& state, const Unit& unit, const Command& command) {
  const Bytes name = command.name;
  if (unit.from == Side::client) {
    if (name == "ANS" && is_address(command.param(1))) state.address = address_of(command.param(1));
    const bool room = state.called.size() < state.limits.members_max;
    if (name == "CAL" && is_address(command.param(1)) && room) state.called.insert(address_of(command.param(1)));
    return;
  }
  if (name == "JOI" && is_address(command.param(0))) state.join(address_of(command.param(0)));
  if (name == "IRO" && is_address(command.param(3))) state.join(address_of(command.param(3)));
  if (name == "BYE") state.members.erase(address_of(command.param(0)));
}

}  // namespace chancery::msnp
