#include "codec/irc/probe.h"

#include <algorithm>
#include <array>

#include "codec/irc/framing.h"
#include "codec/irc/line.h"

namespace chancery::irc {
namespace {

constexpr std::size_t kEnough = 1024;  // octets without a telling line: it is something else

struct Known {
  std::string_view command;
  std::size_t params_min;
  bool with_source;  // from a server only with a source, where other protocols have the same word
};

constexpr std::array kClient = std::to_array<Known>({{"NICK", 1, false},
                                                     {"USER", 4, false},
                                                     {"CAP", 1, false},
                                                     {"JOIN", 1, false},
                                                     {"PART", 1, false},
                                                     {"PRIVMSG", 2, false},
                                                     {"TAGMSG", 1, false},
                                                     {"WEBIRC", 4, false},
                                                     {"PING", 1, false},
                                                     {"PONG", 1, false},
                                                     {"AUTHENTICATE", 1, false}});
constexpr std::array kServer = std::to_array<Known>({{"NOTICE", 2, false},
                                                     {"PING", 1, false},
                                                     {"PONG", 1, false},
                                                     {"CAP", 2, false},
                                                     {"PRIVMSG", 2, true},
                                                     {"TAGMSG", 1, true},
                                                     {"JOIN", 1, true},
                                                     {"PART", 1, true},
                                                     {"QUIT", 0, true},
                                                     {"NICK", 1, true},
                                                     {"MODE", 1, true}});

// Munin's nodes have a `cap`, speed tests a `PING` with a number.
bool is_borrowed(const Line& line, std::string_view command) {
  constexpr std::array<Bytes, 8> kSubcommands{"LS", "LIST", "REQ", "ACK", "NAK", "END", "NEW", "DEL"};
  if (command == "PING" || command == "PONG") return line.source().empty() && !line.last_is_trailing();
  return command == "CAP" && std::ranges::find(kSubcommands, line.param(0)) == kSubcommands.end() &&
         std::ranges::find(kSubcommands, line.param(1)) == kSubcommands.end();
}

bool is_known(const Line& line, std::span<const Known> known) {
  const std::string command = line.upper_command();
  if (is_borrowed(line, command)) return false;
  return std::ranges::any_of(known, [&](const Known& each) {
    return each.command == command && line.param_count() >= each.params_min &&
           (!each.with_source || !line.source().empty());
  });
}

bool is_numeric_reply(const Line& line) {
  const Bytes command = line.command();
  return !line.source().empty() && command.size() == 3 && command.find_first_not_of("0123456789") == Bytes::npos &&
         line.param_count() > 0;
}

bool is_binary(Bytes octets) {
  // Formatting codes and CTCP's marks occur in text; NUL never.
  return octets.find('\0') != Bytes::npos;
}

}  // namespace

Likeness probe(Side from, Bytes octets) {
  if (is_binary(octets)) return Likeness::no;
  std::size_t lines = 0;
  for (Bytes rest = octets; !rest.empty(); ++lines) {
    const std::size_t end = rest.find('\n');
    if (end == Bytes::npos) break;
    const Line line{rest.substr(0, end + 1)};
    rest.remove_prefix(end + 1);
    if (from == Side::client ? is_known(line, kClient) : is_numeric_reply(line) || is_known(line, kServer))
      return Likeness::yes;
  }
  constexpr std::size_t kLinesMax = 4;  // one cut in the middle, PASS, a few unknown ones
  return octets.size() >= kEnough || lines >= kLinesMax ? Likeness::no : Likeness::need_more;
}

}  // namespace chancery::irc
