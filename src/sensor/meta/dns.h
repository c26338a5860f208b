#pragma once
// DNS messages (RFC 1035): the question, and the addresses that answer it with how long they may be believed. Answers
// of CNAME chains belong to the name that was asked (RFC 1034 §3.6.2). HTTPS and SVCB records teach address hints
// (RFC 9460 §7.3).
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

inline constexpr std::size_t kDnsRecordsMax = 128;  // of one message; the rest is not read
inline constexpr std::size_t kDnsNameMax = 255;     // RFC 1035 §2.3.4, octets

struct DnsAnswer {
  Address address;
  std::uint32_t ttl_s = 0;
};

struct DnsMessage {
  bool response = false;
  std::uint8_t rcode = 0;
  std::string question;              // lower case, no dot at the end; "" is the root
  std::uint16_t type = 0;            // of the question
  std::vector<std::string> aliases;  // the CNAME chain, in order
  std::vector<DnsAnswer> addresses;  // of the question's name or an alias
};

// Nothing: it is not a DNS message. What is behind a record that is cut short or ill-formed is left out. `plausible`
// messages only: known opcode, at least one question or answer, counts that the size allows.
std::optional<DnsMessage> parse_dns(Bytes datagram);

// DNS over TCP (RFC 1035 §4.2.2): the whole messages at the begin of a stream.
std::vector<DnsMessage> parse_dns_stream(Bytes octets);

}  // namespace chancery::sensor
