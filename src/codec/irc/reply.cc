#include "codec/irc/reply.h"

#include <algorithm>
#include <fmt/format.h>

#include "core/utf8.h"

namespace chancery::irc {
namespace {

constexpr std::size_t kLineMax = 512;
constexpr std::size_t kTextMin = 32;  // however long the names before it are
constexpr std::string_view kDefaultNotice = "This is not allowed here.";

Bytes nick_or_star(const State& state) { return state.nick.empty() ? Bytes{"*"} : Bytes{state.nick}; }

// A name from an event, as one middle parameter: it came from the wire, where it was one.
Bytes middle(Bytes name) { return name.empty() || name.find(' ') != Bytes::npos ? Bytes{"*"} : name; }

}  // namespace

std::string one_line(std::string_view text, std::size_t used) {
  std::string line = to_utf8_lossy(text);
  for (char& c : line)
    if (c == '\r' || c == '\n' || c == '\0') c = ' ';
  const std::size_t most = std::max(kTextMin, kLineMax - std::min(used, kLineMax));
  if (line.size() <= most) return line;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
  line.resize(end);
  return line;
}

std::string numeric_line(const State& state, std::string_view numeric, std::string_view middle, std::string_view text) {
  std::string head =
      fmt::format(":{} {} {} {}{}:", state.gateway, numeric, nick_or_star(state), middle, middle.empty() ? "" : " ");
  return head + one_line(text, head.size() + 2) + "\r\n";
}

std::string refusal_line(const State& state, const Line& line, const Event& event, std::string_view notice,
                         Bytes label) {
  if (notice.empty()) notice = kDefaultNotice;
  const std::string tags = label.empty() ? "" : fmt::format("@label={} ", label);
  // 404 stands in the channel's own window in every client.
  if (event.scope == Scope::room) return tags + numeric_line(state, "404", middle(event.room), notice);
  const Bytes target = event.to.empty() ? Bytes{"*"} : middle(event.to.front());
  const std::string receiver = event.to.empty() ? std::string{} : fmt::format(" to {}", target);
  // https://ircv3.net/specs/extensions/standard-replies
  std::string head = state.has(Cap::standard_replies)
                         ? fmt::format(":{} FAIL {} CANNOT_SEND {} :", state.gateway, line.upper_command(), target)
                         : fmt::format(":{} NOTICE {} :Not sent{}: ", state.gateway, nick_or_star(state), receiver);
  return tags + head + one_line(notice, head.size() + 2) + "\r\n";
}

}  // namespace chancery::irc
