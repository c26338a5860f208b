#include "codec/irc/body.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <string>
#include <system_error>

#include "codec/irc/text.h"
#include "core/utf8.h"

namespace chancery::irc {
namespace {

constexpr char kCtcp = 0x01;

std::string upper(Bytes text) {
  std::string all{text};
  for (char& c : all)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return all;
}

Span trim_left(const Line& line, Span span) {
  while (span.begin < span.end && line.wire()[span.begin] == ' ') ++span.begin;
  return span;
}

// The first word of `rest`, in quotes when it has spaces; `rest` is moved past it.
Bytes take_word(Bytes& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const bool quoted = rest.starts_with('"') && rest.find('"', 1) != Bytes::npos;
  const std::size_t begin = quoted ? 1 : 0;
  const std::size_t end = std::min(rest.find(quoted ? '"' : ' ', begin), rest.size());
  const Bytes word = rest.substr(begin, end - begin);
  rest.remove_prefix(std::min(end + (quoted ? 1 : 0), rest.size()));
  return word;
}

// DCC writes an IPv4 address as one decimal number (dcc.html, "host"); all else stands as it is.
std::string dcc_host(Bytes host) {
  std::uint32_t address = 0;
  const auto [end, error] = std::from_chars(host.data(), host.data() + host.size(), address);
  if (error != std::errc{} || end != host.data() + host.size() || host.empty()) return to_utf8_lossy(host);
  return fmt::format("{}.{}.{}.{}", address >> 24, (address >> 16) & 255, (address >> 8) & 255, address & 255);
}

std::string dcc_address(Bytes host, Bytes port) {
  const std::string name = dcc_host(host);
  const bool ipv6 = name.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", ipv6 ? "[" : "", name, ipv6 ? "]" : "", to_utf8_lossy(port));
}

// DCC [T|S|TS]SEND name host port [size [token]]; any other DCC opens a way around the gateway too, or goes on with
// one.
void read_dcc(Bytes rest, Event& into) {
  const std::string verb = upper(take_word(rest));
  if (!verb.ends_with("SEND") && verb != "XMIT") {
    take_word(rest);  // the argument: "chat", a file's name
    const Bytes host = take_word(rest);
    const Bytes port = take_word(rest);
    into.kind = Kind::opaque;
    into.detail = verb.empty() ? "dcc" : "dcc " + to_utf8_lossy(verb);
    if (verb.ends_with("CHAT")) into.detail += " " + dcc_address(host, port);
    return;
  }
  into.kind = Kind::file_offer;
  File& file = into.files.emplace_back();
  file.method = "dcc";
  file.name = to_utf8_lossy(take_word(rest));
  const Bytes host = take_word(rest);
  file.url = dcc_address(host, take_word(rest));
  const Bytes size = take_word(rest);
  std::uint64_t octets = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), octets);
  if (!size.empty() && error == std::errc{} && end == size.data() + size.size()) file.size = octets;
}

// Requests of machines. With an argument they could carry words; only a number or a time is surely none.
bool carries_words(std::string_view verb, Bytes argument) {
  constexpr std::array<std::string_view, 7> kKnown{"VERSION", "TIME",     "PING",  "CLIENTINFO",
                                                   "SOURCE",  "USERINFO", "FINGER"};
  const bool known = std::ranges::find(kKnown, verb) != kKnown.end();
  return !known || argument.find_first_not_of("0123456789. ") != Bytes::npos;
}

bool read_ctcp(const Line& line, Span inner, Event& into) {
  const std::size_t size = std::min(line.text(inner).find(' '), line.text(inner).size());
  const Span verb{inner.begin, inner.begin + static_cast<std::uint32_t>(size)};
  const std::string name = upper(line.text(verb));
  const Span argument = trim_left(line, {verb.end, inner.end});
  if (name == "ACTION") {
    into.action = true;
    into.texts.push_back(plain_text(line.text(argument), argument.begin, TextPart::Role::body));
    return true;
  }
  if (name == "DCC") {
    read_dcc(line.text(argument), into);
    into.texts.push_back(plain_text(line.text(argument), argument.begin, TextPart::Role::body));
    return true;
  }
  if (!carries_words(name, line.text(argument))) return false;
  into.kind = Kind::opaque;
  into.detail = name.empty() ? "ctcp" : "ctcp " + to_utf8_lossy(name);
  if (!argument.empty()) into.texts.push_back(plain_text(line.text(argument), argument.begin, TextPart::Role::body));
  return true;
}

// `?OTR?` and `?OTRv23?` ask for encryption in clear, with an explanation behind.
// OTR version 3, "OTR Query Message".
bool is_otr_query(Bytes body) {
  if (body.starts_with("?OTR?")) return true;
  if (!body.starts_with("?OTRv")) return false;
  const std::size_t end = body.find_first_not_of("0123456789x", 5);
  return end != Bytes::npos && body[end] == '?';
}

// Data, key exchange, and fragments of either: base64 between marks. "?OTR" before plain words seals nothing: whoever
// gets them can read them.
bool is_otr_message(Bytes body) {
  constexpr Bytes kOctets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=.,|:?";
  const bool marked = body.starts_with("?OTR:") || body.starts_with("?OTR,") || body.starts_with("?OTR|");
  return marked && body.find_first_not_of(kOctets) == Bytes::npos;
}

// FiSH: Blowfish in its own base64, or (with '*') CBC in the usual one.
bool is_fish(Bytes body) {
  constexpr std::size_t kBlock = 12;
  constexpr Bytes kOctets = "./0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+=*";
  for (const Bytes mark : {Bytes{"+OK "}, Bytes{"mcps "}}) {
    if (!body.starts_with(mark)) continue;
    const Bytes sealed = body.substr(mark.size());
    return sealed.size() >= kBlock && sealed.find_first_not_of(kOctets) == Bytes::npos;
  }
  return false;
}

bool is_typing(Bytes key) { return key == "+typing" || key == "+draft/typing"; }
bool is_reply(Bytes key) { return key == "+reply" || key == "+draft/reply"; }
bool is_channel_context(Bytes key) { return key == "+draft/channel-context" || key == "+channel-context"; }
bool is_reaction(Bytes key) { return key == "+draft/react" || key == "+react"; }
bool is_unreaction(Bytes key) { return key == "+draft/unreact" || key == "+unreact"; }

}  // namespace

bool read_body(const Line& line, Span body, Event& into) {
  const Bytes text = line.text(body);
  if (text.starts_with(kCtcp)) {
    Span inner{body.begin + 1, body.end};
    if (!inner.empty() && line.wire()[inner.end - 1] == kCtcp) --inner.end;  // its end may be missing
    return read_ctcp(line, inner, into);
  }
  const bool query = is_otr_query(text);
  if (query || is_otr_message(text) || is_fish(text)) {
    into.kind = Kind::sealed;
    into.seal = is_fish(text) ? "fish" : "otr";
    if (!query) return true;
  }
  into.texts.push_back(plain_text(text, body.begin, TextPart::Role::body));
  return true;
}

bool read_tags(const Line& line, std::span<const Tag> tags, Event& into, bool is_tagmsg) {
  bool found = false;
  for (const Tag& tag : tags) {
    if (!tag.key.starts_with('+') || is_typing(tag.key)) continue;
    TextPart text = unescape_tag(line, tag.value);
    if (!is_tagmsg) text.role = TextPart::Role::tag;
    if (is_reply(tag.key)) {
      // https://ircv3.net/specs/client-tags/react: a reaction refers to what it replies to.
      (is_tagmsg ? into.ref : into.thread) = text.text;
      continue;
    }
    if (is_channel_context(tag.key) || text.text.empty()) continue;
    if (is_tagmsg && (is_reaction(tag.key) || is_unreaction(tag.key))) {
      into.kind = Kind::reaction;
      into.detail = is_reaction(tag.key) ? text.text : std::string{};
    } else if (is_tagmsg && !found) {
      into.detail = "tag " + to_utf8_lossy(tag.key);
    }
    // Whatever the tag, receivers get its text: rules must see it, and masks must reach it.
    into.texts.push_back(std::move(text));
    found = true;
  }
  if (is_tagmsg && into.kind == Kind::reaction) return true;
  return found;
}

}  // namespace chancery::irc
