#pragma once
// What one IRC connection has shown so far. Changed while reading only, in the order of the octets, so that how they
// were cut, and what was decided about them, changes nothing.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "codec/irc/network.h"
#include "codec/irc/rooms.h"

namespace chancery::irc {

// Capabilities whose being on changes what the gateway reads or writes.
enum class Cap : std::uint8_t { echo_message, labeled_response, standard_replies, batch };

// What a sign-in by server password alone is recorded with.
inline constexpr std::string_view kPass = "PASS";

struct OpenBatch {
  std::string reference;
  Copy copy = Copy::none;  // of the messages in it
};

// Batches that a server has open at once; a reference beyond it is not remembered (its messages count as new).
inline constexpr std::size_t kBatchesMax = 16;

// Words remembered of what was told to services, and their sizes: a longer one is no password that a service takes.
inline constexpr std::size_t kToldMax = 8;
inline constexpr std::size_t kToldOctetsMax = 512;

struct State {
  explicit State(const Limits& l, const Start& start)
      : limits(l),
        gateway(start.client_host.empty() ? "chancery" : start.client_host),
        midstream(start.mode == Start::Mode::midstream),
        record_presence(start.record_presence),
        passive(start.passive),
        rooms(l.rooms_max, l.members_max) {}

  Limits limits;
  std::string gateway;  // the name the gateway speaks under
  bool midstream;
  bool record_presence;
  bool passive;

  std::string nick;       // own; before 001 the one asked for
  std::string mask;       // own nick!user@host, once a server line has shown it
  std::string account;    // services account, 900
  std::string mechanism;  // of the SASL exchange begun last
  std::string proven_by;  // "PASS" once that was sent, the mechanism once the server took it; what 001 is recorded with
  bool registered = false;
  bool sasl_running = false;
  bool pass_sent = false;
  bool sign_in_refused = false;
  std::uint8_t caps = 0;
  Network network;
  Rooms rooms;
  std::vector<OpenBatch> batches;
  std::vector<std::string> told;  // to services lately, and may be a password: they like to say it back
  Instant server_clock;           // the newest server-time seen

  bool has(Cap cap) const { return (caps & (1U << static_cast<unsigned>(cap))) != 0; }
  void set(Cap cap, bool on) {
    const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(cap));
    caps = static_cast<std::uint8_t>(on ? caps | bit : caps & ~bit);
  }
  bool is_me(Bytes name) const { return !nick.empty() && same_name(nick, name, network.casemap); }
};

// Unit::action: what `release` does besides passing on.
enum class Action : std::uint32_t {
  none = 0,
  offer,          // CAP LS, NEW: capabilities of the closed list are taken out
  mechanisms,     // 908: mechanisms of the closed list are taken out
  request,        // CAP REQ for one of them: answered with NAK
  bounce,         // 010: not passed on
  starttls,       // answered with 691
  bad_mechanism,  // AUTHENTICATE EXTERNAL and -PLUS: answered with 904
  welcome,        // 001: passed on; the session's address is known
  renamed,        // own NICK: likewise
};

}  // namespace chancery::irc
