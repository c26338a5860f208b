#include "codec/irc/network.h"

#include <algorithm>

namespace chancery::irc {

char fold(char c, Casemap map) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  if (map == Casemap::ascii) return c;
  // RFC 1459 §2.2: {}|^ are the lower case of []\~; "strict" leaves out the last pair.
  if (c == '[') return '{';
  if (c == ']') return '}';
  if (c == '\\') return '|';
  if (c == '~' && map == Casemap::rfc1459) return '^';
  return c;
}

bool same_name(Bytes a, Bytes b, Casemap map) {
  return std::ranges::equal(a, b, [map](char x, char y) { return fold(x, map) == fold(y, map); });
}

bool NameLess::operator()(Bytes a, Bytes b) const {
  return std::ranges::lexicographical_compare(a, b, [this](char x, char y) {
    return static_cast<unsigned char>(fold(x, map)) < static_cast<unsigned char>(fold(y, map));
  });
}

void Network::learn(std::string_view token) {
  const std::size_t equals = token.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view key = token.substr(0, equals);
  const std::string_view value = token.substr(equals + 1);
  if (key == "CASEMAPPING") {
    // An unknown one (rfc7613) folds more than ASCII; two spellings of one name are then two names here.
    casemap = value == "rfc1459"          ? Casemap::rfc1459
              : value == "strict-rfc1459" ? Casemap::rfc1459_strict
                                          : Casemap::ascii;
  } else if (key == "CHANTYPES") {
    channel_types = value;
  } else if (key == "PREFIX") {
    const std::size_t close = value.find(')');  // "(qaohv)~&@%+"
    prefixes = close == std::string_view::npos ? std::string_view{} : value.substr(close + 1);
  }
}

bool Network::is_channel(Bytes name) const {
  return !name.empty() && channel_types.find(name.front()) != std::string::npos;
}

Bytes Network::channel_of(Bytes target) const {
  const std::size_t first = target.find_first_not_of(prefixes);
  // "+room" can be a channel of type '+', "+#room" can only mean the voiced ones of "#room".
  if (first != Bytes::npos && first > 0 && is_channel(target.substr(first))) return target.substr(first);
  return is_channel(target) ? target : Bytes{};
}

}  // namespace chancery::irc
