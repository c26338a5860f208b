#include "archive/verify/disclosed.h"

#include <array>
#include <fmt/format.h>
#include <string_view>

#include "core/cbor.h"

namespace chancery::verify {
namespace {

// docs/formats/record.md, "Kinds"; the numbers are the places.
constexpr std::array<std::string_view, 18> kKinds = {
    "",     "message", "edit",     "retraction", "reaction", "delivery",     "history", "join",   "leave",
    "nick", "topic",   "presence", "file_offer", "sign_in",  "notice_shown", "opaque",  "sealed", "credential"};
constexpr std::uint64_t kFirstOwnKind = 32;
constexpr std::array<std::string_view, 10> kOwnKinds = {"stream_open",    "stream_close",  "heartbeat",  "gap",
                                                        "outage",         "policy_change", "clock_step", "key_change",
                                                        "protocol_error", "epoch"};
constexpr std::array<std::string_view, 5> kRoles = {"", "body", "subject", "xhtml", "reason"};
constexpr std::array<std::string_view, 6> kVerdicts = {"", "forward", "flag", "redact", "refuse", "hold"};

template <std::size_t N>
std::string named(const std::array<std::string_view, N>& names, std::uint64_t number, std::string_view what) {
  return number > 0 && number < N ? std::string{names[number]} : fmt::format("{} {}", what, number);
}

std::string kind_of(std::uint64_t number) {
  if (number < kFirstOwnKind) return named(kKinds, number, "kind");
  const std::uint64_t place = number - kFirstOwnKind;
  return place < kOwnKinds.size() ? std::string{kOwnKinds[place]} : fmt::format("kind {}", number);
}

std::vector<std::string> read_strings(CborReader& in) {
  std::vector<std::string> strings;
  for (auto left = in.array(); left > 0 && in.ok(); --left) strings.emplace_back(in.string());
  return strings;
}

void read_texts(CborReader& in, Said& said) {
  for (auto left = in.array(); left > 0 && in.ok(); --left) {
    if (in.array() != 4) return in.fail();
    const auto role = in.unsigned_int();
    in.string();  // the language
    const std::string text{in.string()};
    in.skip();  // where it stands on the wire
    said.texts.emplace_back(named(kRoles, role, "role"), text);
  }
}

// Calls `field(key)` for each pair of a map; it must consume the value.
template <class Field>
void read_map(CborReader& in, Field field) {
  for (auto left = in.map(); left > 0 && in.ok(); --left) {
    const auto key = in.small_key();
    if (!key) return in.fail();
    field(*key);
  }
}

void read_event(CborReader& in, Said& said) {
  read_map(in, [&](std::uint64_t key) {
    switch (key) {
      case 0:
        said.kind = kind_of(in.unsigned_int());
        break;
      case 5:
        said.from = in.string();
        break;
      case 7:
        said.to = read_strings(in);
        break;
      case 8:
        said.room = in.string();
        break;
      case 9:
        said.id = in.string();
        break;
      case 13:
        read_texts(in, said);
        break;
      case 14:
        said.seal = in.string();
        break;
      case 16:
        said.present = read_strings(in);
        break;
      case 18:
        said.detail = in.string();
        break;
      default:
        in.skip();
    }
  });
}

void read_decision(CborReader& in, Said& said) {
  read_map(in, [&](std::uint64_t key) {
    if (key == 0)
      said.verdict = named(kVerdicts, in.unsigned_int(), "verdict");
    else if (key == 1)
      said.rule = in.string();
    else
      in.skip();
  });
}

}  // namespace

std::optional<Said> read_disclosed(Bytes record) {
  CborReader in{record};
  Said said;
  said.verdict = "forward";
  std::uint64_t version = 0;
  bool is_seen = false;
  read_map(in, [&](std::uint64_t key) {
    switch (key) {
      case 0:
        version = in.unsigned_int();
        break;
      case 1:
        said.time = from_unix_ns(in.signed_int());
        break;
      case 2:
        said.protocol = in.string();
        break;
      case 3:
        said.network = in.string();
        break;
      case 7:
        said.account = in.string();
        break;
      case 10:
        read_event(in, said);
        break;
      case 11:
        read_decision(in, said);
        break;
      case 17:  // a sensor saw it go by
        in.skip();
        is_seen = true;
        break;
      default:
        in.skip();
    }
  });
  if (!in.ok() || !in.at_end() || version != 1 || said.kind.empty()) return std::nullopt;
  if (is_seen) said.verdict = "seen";
  return said;
}

}  // namespace chancery::verify
