#include "codec/msnp/command.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "codec/wire/charset.h"

namespace chancery::msnp {
namespace {

constexpr std::size_t kNameSize = 3;
constexpr std::size_t kPayloadMax = 1'000'000'000;  // what limits a unit decides; this only keeps numbers small

struct Payloaded {
  Bytes name;
  bool of_client;
  bool of_server;
};

// docs/protocols/msnp.md, "Commands with a payload". QRY: only the client's; GCF: only the server's.
constexpr auto kPayloaded = std::to_array<Payloaded>(
    {{"MSG", true, true},  {"UUX", true, true},  {"UBX", false, true}, {"NOT", false, true}, {"IPG", false, true},
     {"GCF", false, true}, {"QRY", true, false}, {"ADL", true, true},  {"RML", true, true},  {"FQY", true, true},
     {"UUN", true, true},  {"UBN", false, true}, {"UUM", true, false}, {"UBM", false, true}, {"SDG", true, true},
     {"PUT", true, true},  {"DEL", true, true},  {"NFY", false, true}, {"PAG", true, false}, {"SDC", true, false}});

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool may_be_name(Bytes octets) {
  const Bytes name = octets.substr(0, kNameSize);
  return std::ranges::all_of(name, [](char c) { return is_upper(c) || is_digit(c); });
}

void split(Bytes line, Command& command) {
  command.name = line.substr(0, std::min(line.find(' '), line.size()));
  for (std::size_t at = command.name.size(); at < line.size();) {
    const std::size_t begin = line.find_first_not_of(' ', at);
    if (begin == Bytes::npos) break;
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    command.params.push_back(line.substr(begin, end - begin));
    at = end;
  }
}

bool is_error_number(Bytes name) { return std::ranges::all_of(name, is_digit); }

std::size_t payload_size(Side from, const Command& command) {
  if (command.params.empty()) return 0;
  const auto size = to_number(command.params.back());
  if (!size) return 0;
  if (is_error_number(command.name)) return command.params.size() == 2 ? *size : 0;  // "241 8 120": with an explanation
  const auto known = std::ranges::find(kPayloaded, command.name, &Payloaded::name);
  if (known == kPayloaded.end()) return 0;
  return (from == Side::client ? known->of_client : known->of_server) ? *size : 0;
}

Bytes line_of(Bytes octets, std::size_t end) {
  return octets.substr(0, end > 0 && octets[end - 1] == '\r' ? end - 1 : end);
}

Measured measure(Side from, Bytes octets, std::size_t /*seen*/) {
  if (!may_be_name(octets)) return Measured::wrong();
  if (octets.size() > kNameSize && octets[kNameSize] != ' ' && octets[kNameSize] != '\r' && octets[kNameSize] != '\n')
    return Measured::wrong();
  const std::size_t end = octets.substr(0, kLineSizeMax).find('\n');
  if (end == Bytes::npos) return octets.size() >= kLineSizeMax ? Measured::wrong() : Measured::more(octets.size() + 1);
  Command command;
  split(line_of(octets, end), command);
  return Measured::frame(end + 1 + payload_size(from, command));
}

// Looked for only behind a name of a command, so that most places need one look.
Likeness begins(Side from, Bytes octets) {
  if (!may_be_name(octets)) return Likeness::no;
  if (octets.size() <= kNameSize) return Likeness::need_more;
  if (octets[kNameSize] != ' ') return Likeness::no;
  const Bytes searched = octets.substr(0, kLineSizeMax);
  const std::size_t end = searched.find_first_of(Bytes{"\n\0", 2});
  if (end == Bytes::npos) return octets.size() < kLineSizeMax ? Likeness::need_more : Likeness::no;
  if (octets[end] != '\n') return Likeness::no;
  Command command;
  split(line_of(octets, end), command);
  return is_telling(from, command) ? Likeness::yes : Likeness::no;
}

bool is_number(Bytes word) { return to_number(word).has_value(); }

bool is_client_line(const Command& command) {
  const Bytes name = command.name;
  const Bytes second = command.param(1);
  if (!is_number(command.param(0))) return false;
  if (name == "VER") return second.starts_with("MSNP") || second.starts_with("CVR");
  if (name == "MSG")
    return command.params.size() == 3 && is_number(command.param(2)) && second.size() == 1 && is_upper(second[0]);
  if (name == "USR") return is_address(second) || second == "TWN" || second == "SSO" || second == "MD5";
  if (name == "CAL" || name == "ANS" || name == "UUM" || name == "UUN") return is_address(second);
  if (name == "CVR") return second.starts_with("0x");
  if (name == "XFR") return second == "SB";
  if (name == "CHG") return second.size() == kNameSize && is_upper(second[0]) && command.params.size() <= 5;
  return name == "UUX" && command.params.size() == 2 && is_number(second);
}

bool is_server_line(const Command& command) {
  const Bytes name = command.name;
  const Bytes first = command.param(0);
  const Bytes second = command.param(1);
  if (name == "MSG" || name == "UBX" || name == "UBM" || name == "UBN")
    return (is_address(first) || first == "Hotmail") && is_number(command.params.back());
  if (name == "JOI" || name == "BYE" || name == "FLN") return is_address(first);
  if (name == "NLN") return is_address(second);
  if (name == "RNG") return is_number(first) && command.param(2) == "CKI";
  if (!is_number(first)) return false;
  if (name == "VER") return second.starts_with("MSNP") || second.starts_with("CVR");
  if (name == "USR") return second == "OK" || second == "TWN" || second == "SSO" || second == "MD5";
  if (name == "IRO") return is_number(second) && is_address(command.param(3));
  if (name == "ILN") return is_address(command.param(2));
  if (name == "XFR") return second == "SB" || second == "NS";
  return name == "CAL" && second == "RINGING";
}

}  // namespace

const Framing kFraming{measure, begins};

Command parse_command(Bytes frame) {
  const std::size_t end = std::min(frame.find('\n'), frame.size());
  Command command;
  split(line_of(frame, end), command);
  if (end < frame.size()) command.payload = frame.substr(end + 1);
  return command;
}

bool is_telling(Side from, const Command& command) {
  return from == Side::client ? is_client_line(command) : is_server_line(command);
}

std::optional<std::size_t> to_number(Bytes digits) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || value > kPayloadMax)
    return std::nullopt;
  return value;
}

std::string address_of(Bytes octets) { return from_unstated(octets.substr(0, octets.find(';'))); }

bool is_address(Bytes octets) {
  const std::size_t at = octets.find('@');
  return at != Bytes::npos && at > 0 && octets.find('.', at) != Bytes::npos;
}

}  // namespace chancery::msnp
