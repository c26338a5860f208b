#include "sensor/meta/dns.h"

#include <algorithm>

#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr std::uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28, kTypeSvcb = 64, kTypeHttps = 65;
constexpr std::uint16_t kClassIn = 1;
constexpr int kPointersMax = 32;
constexpr std::size_t kStreamMessagesMax = 32;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// RFC 1035 §4.1.4. `at` moves behind the name. False: ill-formed.
bool read_name(Bytes message, std::size_t& at, std::string& name) {
  name.clear();
  std::size_t from = at;
  bool jumped = false;
  for (int pointers = 0;;) {
    if (from >= message.size()) return false;
    const std::uint8_t size = octet(message, from);
    if ((size & 0xc0) == 0xc0) {
      if (from + 2 > message.size() || ++pointers > kPointersMax) return false;
      if (!jumped) at = from + 2;
      jumped = true;
      from = be16(message, from) & 0x3fffU;
      continue;
    }
    if ((size & 0xc0) != 0) return false;
    if (size == 0) {
      if (!jumped) at = from + 1;
      return true;
    }
    if (from + 1 + size > message.size() || name.size() + size + 1 > kDnsNameMax) return false;
    if (!name.empty()) name.push_back('.');
    for (const char c : message.substr(from + 1, size)) name.push_back(lower(c));
    from += 1U + size;
  }
}

// RFC 9460 §2.2: priority, target name (not compressed), then parameters with their size.
void read_service_hints(Bytes data, std::uint32_t ttl_s, std::vector<DnsAnswer>& out) {
  constexpr std::uint16_t kIpv4Hint = 4, kIpv6Hint = 6;
  std::size_t at = 2;
  std::string target;
  if (!read_name(data, at, target)) return;
  Reader reader{data.substr(at)};
  while (reader.left() >= 4) {
    const std::uint16_t key = reader.u16();
    const Bytes value = reader.counted16();
    const std::size_t size = key == kIpv4Hint ? 4 : 16;
    if (!reader.ok() || (key != kIpv4Hint && key != kIpv6Hint)) continue;
    for (std::size_t i = 0; i + size <= value.size() && out.size() < kDnsRecordsMax; i += size)
      out.push_back({size == 4 ? Address::v4(value.substr(i, 4)) : Address::v6(value.substr(i, 16)), ttl_s});
  }
}

struct Record {
  std::string owner;
  std::uint16_t type = 0;
  std::uint32_t ttl_s = 0;
  Bytes data;
  std::size_t data_at = 0;
};

bool read_record(Bytes message, std::size_t& at, Record& record) {
  if (!read_name(message, at, record.owner)) return false;
  Reader reader{message.substr(at)};
  record.type = reader.u16();
  const std::uint16_t dns_class = reader.u16() & 0x7fffU;  // mDNS: the top bit flushes caches
  record.ttl_s = reader.u32();
  record.data_at = at + 10;
  record.data = reader.counted16();
  if (!reader.ok()) return false;
  if (dns_class != kClassIn) record.type = 0;
  at = record.data_at + record.data.size();
  return true;
}

void read_answers(Bytes message, std::size_t at, std::size_t count, DnsMessage& out) {
  const auto is_asked = [&](const std::string& owner) {
    return owner == out.question || std::ranges::find(out.aliases, owner) != out.aliases.end();
  };
  Record record;
  for (std::size_t i = 0; i < std::min(count, kDnsRecordsMax) && read_record(message, at, record); ++i) {
    if (!is_asked(record.owner)) continue;
    std::string target;
    std::size_t target_at = record.data_at;
    if (record.type == kTypeCname && read_name(message, target_at, target))
      out.aliases.push_back(std::move(target));
    else if (record.type == kTypeA && record.data.size() == 4)
      out.addresses.push_back({Address::v4(record.data), record.ttl_s});
    else if (record.type == kTypeAaaa && record.data.size() == 16)
      out.addresses.push_back({Address::v6(record.data), record.ttl_s});
    else if (record.type == kTypeHttps || record.type == kTypeSvcb)
      read_service_hints(record.data, record.ttl_s, out.addresses);
  }
}

// The smallest question is 5 octets, the smallest record 11.
bool is_plausible(Bytes message) {
  if (message.size() < kHeaderSize + 5) return false;
  const std::uint16_t flags = be16(message, 2);
  const unsigned opcode = flags >> 11 & 0xf;
  const bool response = (flags & 0x8000) != 0;
  const std::size_t questions = be16(message, 4), answers = be16(message, 6), authorities = be16(message, 8),
                    additional = be16(message, 10);
  if (opcode > 6 || opcode == 3 || (flags & 0x0040) != 0) return false;  // IANA: 3 is not assigned; §4.1.1: Z is zero
  if (questions != 1 || (!response && answers != 0 && opcode == 0)) return false;
  return questions * 5 + (answers + authorities + additional) * 11 <= message.size() - kHeaderSize + 11;
}

}  // namespace

std::optional<DnsMessage> parse_dns(Bytes datagram) {
  if (!is_plausible(datagram)) return std::nullopt;
  DnsMessage message;
  message.response = (be16(datagram, 2) & 0x8000) != 0;
  message.rcode = static_cast<std::uint8_t>(be16(datagram, 2) & 0xf);
  std::size_t at = kHeaderSize;
  if (!read_name(datagram, at, message.question) || at + 4 > datagram.size()) return std::nullopt;
  message.type = be16(datagram, at);
  const std::uint16_t dns_class = be16(datagram, at + 2) & 0x7fffU;
  if (message.type == 0 || (dns_class != kClassIn && dns_class != 3 && dns_class != 4 && dns_class != 255))
    return std::nullopt;
  at += 4;
  if (message.response) read_answers(datagram, at, be16(datagram, 6), message);
  return message;
}

std::vector<DnsMessage> parse_dns_stream(Bytes octets) {
  std::vector<DnsMessage> messages;
  while (octets.size() >= 2 && messages.size() < kStreamMessagesMax) {
    const std::size_t size = be16(octets, 0);
    if (octets.size() < 2 + size) break;
    std::optional<DnsMessage> message = parse_dns(octets.substr(2, size));
    if (!message) break;
    messages.push_back(std::move(*message));
    octets.remove_prefix(2 + size);
  }
  return messages;
}

}  // namespace chancery::sensor
