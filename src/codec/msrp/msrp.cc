#include "codec/msrp/msrp.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "codec/sip/cpim.h"
#include "codec/sip/message.h"
#include "codec/wire/charset.h"
#include "codec/wire/watched.h"

namespace chancery::msrp {
namespace {

constexpr Bytes kMagic{"MSRP "};
constexpr std::size_t kStartLineMax = 128;
constexpr std::size_t kIdMax = 32;         // RFC 4975 §9: transact-id
constexpr std::size_t kUnfinishedMax = 4;  // messages in chunks at once in one direction

struct StartLine {
  Bytes id;
  Bytes method;  // "SEND", "REPORT", or a status
};

// "MSRP a786hjs2 SEND". Nullopt: not that, or not yet whole.
std::optional<StartLine> start_line_of(Bytes octets) {
  const std::size_t end = octets.substr(0, kStartLineMax).find("\r\n");
  if (!octets.starts_with(kMagic) || end == Bytes::npos) return std::nullopt;
  const Bytes words = octets.substr(kMagic.size(), end - kMagic.size());
  const std::size_t space = words.find(' ');
  if (space == Bytes::npos || space < 4 || space > kIdMax || space + 1 >= words.size()) return std::nullopt;
  const Bytes method = words.substr(space + 1, words.find(' ', space + 1) - space - 1);
  const bool request = method == "SEND" || method == "REPORT" || method == "AUTH" || method == "NICKNAME";
  const bool status = method.size() == 3 && method.find_first_not_of("0123456789") == Bytes::npos;
  if (!request && !status) return std::nullopt;
  return StartLine{words.substr(0, space), method};
}

Likeness begins(Side /*from*/, Bytes octets) {
  if (!kMagic.starts_with(octets.substr(0, kMagic.size()))) return Likeness::no;
  if (start_line_of(octets)) return Likeness::yes;
  return octets.size() < kStartLineMax && octets.find("\r\n") == Bytes::npos ? Likeness::need_more : Likeness::no;
}

// RFC 4975 §7.1: seven hyphens, the transaction's id, a flag and a line end are the end, and stand nowhere else.
Measured measure(Side from, Bytes octets, std::size_t seen) {
  const Likeness beginning = begins(from, octets);
  if (beginning == Likeness::no) return Measured::wrong();
  if (beginning == Likeness::need_more) return Measured::more(octets.size() + 1);
  const std::string end_line = "-------" + std::string{start_line_of(octets)->id};
  const std::size_t size = end_line.size() + 3;
  for (std::size_t at = seen > size ? seen - size : 0;; ++at) {
    at = octets.find(end_line, at);
    if (at == Bytes::npos) break;
    const Bytes rest = octets.substr(at + end_line.size());
    if (rest.size() < 3) return Measured::more(at + size);
    if ((rest[0] == '$' || rest[0] == '+' || rest[0] == '#') && rest.substr(1, 2) == "\r\n")
      return Measured::frame(at + size);
  }
  return Measured::more(octets.size() + 1);
}

constexpr Framing kFraming{measure, begins};

// "alice@host" or "host" of the last of "msrp://alice@host:7777/iau39soe2843z;tcp".
std::string party_of(Bytes path) {
  const std::size_t last = path.rfind(' ');
  if (last != Bytes::npos) path.remove_prefix(last + 1);
  const std::size_t scheme = path.find("//");
  if (scheme != Bytes::npos) path.remove_prefix(scheme + 2);
  path = path.substr(0, path.find_first_of("/;"));
  const std::size_t at = path.find('@');
  return from_unstated(path.substr(0, path.find(':', at == Bytes::npos ? 0 : at)));
}

struct Range {
  std::size_t begin = 1;
  std::optional<std::size_t> total;
};

// "1-25/25", "1-*/*".
Range range_of(Bytes value) {
  Range range;
  const std::size_t slash = value.find('/');
  std::from_chars(value.data(), value.data() + value.size(), range.begin);
  if (slash == Bytes::npos) return range;
  std::size_t total = 0;
  const Bytes digits = value.substr(slash + 1);
  if (std::from_chars(digits.data(), digits.data() + digits.size(), total).ec == std::errc{}) range.total = total;
  return range;
}

class MsrpCodec final : public WatchedCodec {
 public:
  MsrpCodec(const Limits& limits, const Start& start) : WatchedCodec(kFraming, limits, start) {}

 private:
  struct Request {
    Bytes headers;
    Bytes body;
    char flag = '$';
  };
  struct Unfinished {
    std::string type;
    Buffer joined;
  };

  static Request parse(Bytes wire, Bytes id) {
    Request request;
    const std::size_t end_line = wire.size() - (7 + id.size() + 3);
    request.flag = wire[wire.size() - 3];
    const Bytes content = wire.substr(0, end_line);
    const std::size_t end = content.find("\r\n\r\n");
    request.headers = content.substr(0, end);
    if (end == Bytes::npos) return request;
    request.body = content.substr(end + 4);
    if (request.body.ends_with("\r\n")) request.body.remove_suffix(2);
    return request;
  }

  void read(Unit& unit, Instant /*now*/) override {
    const auto start = start_line_of(unit.wire);
    if (!start || start->method != "SEND" || unit.wire.size() < start->id.size() + 10) return;
    const Request request = parse(unit.wire, start->id);
    const Bytes type = sip::find_field(request.headers, "Content-Type");
    const Range range = range_of(sip::find_field(request.headers, "Byte-Range"));
    const std::string key{sip::find_field(request.headers, "Message-ID")};
    if (request.flag == '$' && range.begin == 1) return add_message(unit, request, type, request.body);
    read_chunk(unit, request, key, type, range);
  }

  // RFC 4975 §5.1: "+" more follows, "$" the last, "#" given up. Chunks come in order on one connection.
  void read_chunk(Unit& unit, const Request& request, const std::string& key, Bytes type, const Range& range) {
    auto& unfinished = unfinished_[static_cast<std::size_t>(unit.from)];
    if (range.begin == 1) {
      if (unfinished.size() >= kUnfinishedMax) unfinished.erase(unfinished.begin());
      unfinished[key] = {std::string{type}, {}};
    }
    const auto at = unfinished.find(key);
    if (at == unfinished.end()) return;
    const bool fits = at->second.joined.size() + request.body.size() <= limits().unit_size_max;
    if (range.begin != at->second.joined.size() + 1 || request.flag == '#' || !fits) {
      unfinished.erase(at);
      return;
    }
    at->second.joined += request.body;
    if (request.flag != '$') return;
    const Unfinished whole = std::move(at->second);
    unfinished.erase(at);
    add_message(unit, request, whole.type, whole.joined);
  }

  static void add_message(Unit& unit, const Request& request, Bytes type, Bytes body) {
    if (body.empty() || type.empty()) return;  // RFC 4975 §7.1: opens the session
    const auto content = sip::read_content(type, body);
    if (!content) return;
    Event& event = unit.events.emplace_back();
    event.from = party_of(sip::find_field(request.headers, "From-Path"));
    event.to = {party_of(sip::find_field(request.headers, "To-Path"))};
    event.id = from_unstated(sip::find_field(request.headers, "Message-ID"));
    if (content->cpim) {
      if (!content->cpim->from.empty()) event.from = content->cpim->from;
      if (!content->cpim->to.empty()) event.to = {content->cpim->to};
      event.stated_time = content->cpim->time;
    }
    const char* begin = unit.wire.data();
    const bool in_wire = content->source.data() >= begin && content->source.data() < begin + unit.wire.size();
    const Bytes source = in_wire ? content->source : Bytes{};
    event.texts.push_back(text_part(unit, source, content->text));
    if (!content->html.empty()) event.texts.push_back(text_part(unit, source, content->html, TextPart::Role::xhtml));
  }

  void forget(Side from) override { unfinished_[static_cast<std::size_t>(from)].clear(); }

  std::size_t state_memory() const override {
    std::size_t total = 0;
    for (const auto& side : unfinished_)
      for (const auto& [key, message] : side) total += key.capacity() + message.joined.capacity();
    return total;
  }

  std::array<std::map<std::string, Unfinished>, 2> unfinished_;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<MsrpCodec>(limits, start);
}

Likeness probe(Side from, Bytes octets) { return probe_frames(kFraming, from, octets); }

constexpr std::array<std::uint16_t, 1> kPorts{2855};

}  // namespace

const Protocol kProtocol{"msrp", kPorts, probe, make, nullptr, false};

}  // namespace chancery::msrp
