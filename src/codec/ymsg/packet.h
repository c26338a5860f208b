#pragma once
// Packets: 20 octets of header, then keys and values, each ended by C0 80.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "codec/wire/frames.h"
#include "core/bytes.h"

namespace chancery::ymsg {

inline constexpr std::size_t kHeaderSize = 20;
inline constexpr Bytes kSeparator{"\xc0\x80", 2};

enum class Service : std::uint16_t {
  logon = 0x01,
  message = 0x06,
  system_message = 0x14,
  conference_invite = 0x18,
  conference_logon = 0x19,
  conference_decline = 0x1a,
  conference_logoff = 0x1b,
  conference_add_invite = 0x1c,
  conference_message = 0x1d,
  file_transfer = 0x46,
  peer_file_transfer = 0x4d,
  auth_response = 0x54,
  list = 0x55,
  auth = 0x57,
  chat_join = 0x98,
  chat_leave = 0x99,
  chat_exit = 0x9b,
  chat_add_invite = 0x9d,
  chat_log_out = 0xa0,
  chat_message = 0xa8,
  file_transfer_15 = 0xdc,
  list_15 = 0xf1,
  web_login = 0x226,
  sms = 0x2ea,
};

struct Pair {
  std::uint32_t key = 0;
  Bytes value;  // a piece of the packet
};

struct Packet {
  Service service = Service::logon;
  std::uint32_t status = 0;
  std::vector<Pair> pairs;

  Bytes value(std::uint32_t key) const;  // of the first such key; empty: not there
  bool has(std::uint32_t key) const;
  std::vector<Bytes> values(std::uint32_t key) const;
};

extern const Framing kFraming;

// Of a whole packet. Pairs that are none are left out.
Packet parse_packet(Bytes wire);

}  // namespace chancery::ymsg
