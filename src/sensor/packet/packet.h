#pragma once
// What is left of a frame when everything that mirrors and carriers wrap around it is taken off: one TCP segment or
// UDP datagram with its addresses.
#include <cstdint>

#include "core/bytes.h"
#include "core/time.h"
#include "sensor/classify/classifier.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

// RFC 9293 §3.1.
struct TcpHeader {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 0;
  std::uint8_t flags = 0;

  static constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPush = 8, kAck = 16;
  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

// Views into the frame, or into the defragmenter's buffer: gone with the next read.
struct Packet {
  Instant time;
  std::uint32_t wire_length = 0;  // of the frame that completed it
  Transport transport = Transport::tcp;
  Endpoint source, destination;
  std::uint16_t identification = 0;  // IPv4's; with the payload it tells a duplicate of the mirror from a repetition
  TcpHeader tcp;                     // transport == tcp
  Bytes ip;                          // the innermost IP packet, from its header, as captured, without padding
  Bytes payload;
  std::uint32_t missing = 0;  // octets of the payload behind those, cut off at the snap length
};

}  // namespace chancery::sensor
