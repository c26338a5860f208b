#pragma once
// Makes frames for tests: conversations over TCP and UDP as a mirror port would deliver them, and capture files of
// them.
#include <cstdint>
#include <string>
#include <vector>

#include "event/event.h"
#include "sensor/capture/frame.h"
#include "sensor/packet/endpoint.h"
#include "sensor/packet/packet.h"

namespace chancery::sensor::testing {

// A frame that owns its octets.
struct OwnFrame {
  Buffer octets;
  Instant time;
  std::uint32_t link_type = 1;    // Ethernet
  std::uint32_t wire_length = 0;  // 0: as many as there are

  Frame view() const {
    return {octets, wire_length == 0 ? static_cast<std::uint32_t>(octets.size()) : wire_length, link_type, time};
  }
};

void put16(Buffer& out, std::uint16_t value);  // network order
void put32(Buffer& out, std::uint32_t value);

Endpoint endpoint(std::string_view text);  // "192.0.2.1:80", "[2001:db8::1]:80"

Buffer tcp_segment(const Endpoint& from, const Endpoint& to, const TcpHeader& header, Bytes payload);  // without IP
Buffer udp_datagram(const Endpoint& from, const Endpoint& to, Bytes payload);
// An IP packet around `octets`, of the version of the addresses; `protocol` is IP's (6 TCP, 17 UDP, 47 GRE).
Buffer ip_packet(const Address& from, const Address& to, std::uint8_t protocol, Bytes octets,
                 std::uint16_t identification = 0);
// The same, in fragments of at most `size` octets (rounded down to 8).
std::vector<Buffer> ip_fragments(const Address& from, const Address& to, std::uint8_t protocol, Bytes octets,
                                 std::size_t size, std::uint16_t identification);
Buffer ethernet(std::uint16_t ether_type, Bytes octets);
Buffer ethernet_ip(Bytes ip);

// A TCP connection, written packet by packet, with the acknowledgements that a receiver sends.
class Talk {
 public:
  Talk(Endpoint client, Endpoint server, Instant begin) : ends_{client, server}, now_(begin) {}

  Talk& handshake();
  Talk& say(Side from, Bytes octets, std::size_t segment_size = 1'400);  // and an acknowledgement
  Talk& say_client(Bytes octets) { return say(Side::client, octets); }
  Talk& say_server(Bytes octets) { return say(Side::server, octets); }
  Talk& fin(Side from);
  Talk& reset(Side from);
  Talk& datagram(Side from, Bytes octets);  // UDP between the same ends
  Talk& wait(Duration duration) {
    now_ += duration;
    return *this;
  }
  Talk& sequence(Side side, std::uint32_t value) {
    next_[static_cast<std::size_t>(side)] = value;
    return *this;
  }

  // One packet, as it is: for what a well-behaved host would not send.
  void packet(Side from, TcpHeader header, Bytes payload);
  std::uint32_t next(Side side) const { return next_[static_cast<std::size_t>(side)]; }

  const std::vector<OwnFrame>& frames() const { return frames_; }
  Instant now() const { return now_; }

 private:
  void send(Side from, std::uint8_t flags, Bytes payload);

  Endpoint ends_[2];
  std::uint32_t next_[2] = {1'000, 50'000};
  Instant now_;
  std::uint16_t identification_ = 1;
  std::vector<OwnFrame> frames_;
};

// Capture files. All frames of a pcap file have the first one's link type.
Buffer pcap_file(const std::vector<OwnFrame>& frames, bool nanoseconds = false, bool big_endian = false);
Buffer pcapng_file(const std::vector<OwnFrame>& frames, bool big_endian = false);
Buffer gzipped(Bytes octets);

// A file in a folder of its own that goes with it.
class TemporaryFile {
 public:
  TemporaryFile(std::string_view name, Bytes octets);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string folder_, path_;
};

}  // namespace chancery::sensor::testing
