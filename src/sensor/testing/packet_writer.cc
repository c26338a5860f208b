#include "sensor/testing/packet_writer.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <zlib.h>

namespace chancery::sensor::testing {
namespace {

void put(Buffer& out, std::uint64_t value, int size, bool big_endian) {
  for (int i = 0; i < size; ++i) out.push_back(static_cast<char>(value >> (8 * (big_endian ? size - 1 - i : i))));
}

}  // namespace

void put16(Buffer& out, std::uint16_t value) { put(out, value, 2, true); }
void put32(Buffer& out, std::uint32_t value) { put(out, value, 4, true); }

Endpoint endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string host{text.substr(0, colon)};
  const auto port = static_cast<std::uint16_t>(std::stoi(std::string{text.substr(colon + 1)}));
  char octets[16];
  if (host.front() == '[') {
    host = host.substr(1, host.size() - 2);
    inet_pton(AF_INET6, host.c_str(), octets);
    return {Address::v6({octets, 16}), port};
  }
  inet_pton(AF_INET, host.c_str(), octets);
  return {Address::v4({octets, 4}), port};
}

Buffer tcp_segment(const Endpoint& from, const Endpoint& to, const TcpHeader& header, Bytes payload) {
  Buffer out;
  put16(out, from.port);
  put16(out, to.port);
  put32(out, header.sequence);
  put32(out, header.acknowledgement);
  out.push_back(0x50);
  out.push_back(static_cast<char>(header.flags));
  put16(out, header.window);
  put32(out, 0);
  return out.append(payload);
}

Buffer udp_datagram(const Endpoint& from, const Endpoint& to, Bytes payload) {
  Buffer out;
  put16(out, from.port);
  put16(out, to.port);
  put16(out, static_cast<std::uint16_t>(payload.size() + 8));
  put16(out, 0);
  return out.append(payload);
}

namespace {

Buffer ipv4(const Address& from, const Address& to, std::uint8_t protocol, Bytes octets, std::uint16_t identification,
            std::uint16_t fragment) {
  Buffer out{"\x45\0", 2};
  put16(out, static_cast<std::uint16_t>(octets.size() + 20));
  put16(out, identification);
  put16(out, fragment);
  out.push_back(64);
  out.push_back(static_cast<char>(protocol));
  put16(out, 0);
  out.append(from.wire()).append(to.wire());
  return out.append(octets);
}

Buffer ipv6(const Address& from, const Address& to, std::uint8_t next, Bytes octets) {
  Buffer out{"\x60\0\0\0", 4};
  put16(out, static_cast<std::uint16_t>(octets.size()));
  out.push_back(static_cast<char>(next));
  out.push_back(64);
  out.append(from.wire()).append(to.wire());
  return out.append(octets);
}

}  // namespace

Buffer ip_packet(const Address& from, const Address& to, std::uint8_t protocol, Bytes octets,
                 std::uint16_t identification) {
  return from.is_v4() ? ipv4(from, to, protocol, octets, identification, 0x4000) : ipv6(from, to, protocol, octets);
}

std::vector<Buffer> ip_fragments(const Address& from, const Address& to, std::uint8_t protocol, Bytes octets,
                                 std::size_t size, std::uint16_t identification) {
  size -= size % 8;
  std::vector<Buffer> out;
  for (std::size_t at = 0; at < octets.size(); at += size) {
    const Bytes piece = octets.substr(at, size);
    const bool more = at + piece.size() < octets.size();
    if (from.is_v4()) {
      out.push_back(
          ipv4(from, to, protocol, piece, identification, static_cast<std::uint16_t>(at / 8 | (more ? 0x2000U : 0U))));
      continue;
    }
    Buffer header;
    header.push_back(static_cast<char>(protocol));
    header.push_back(0);
    put16(header, static_cast<std::uint16_t>(at | (more ? 1U : 0U)));
    put32(header, identification);
    out.push_back(ipv6(from, to, 44, header.append(piece)));
  }
  return out;
}

Buffer ethernet(std::uint16_t ether_type, Bytes octets) {
  Buffer out{"\x02\0\0\0\0\x01\x02\0\0\0\0\x02", 12};
  put16(out, ether_type);
  return out.append(octets);
}

Buffer ethernet_ip(Bytes ip) { return ethernet((static_cast<unsigned char>(ip[0]) >> 4U) == 4 ? 0x0800 : 0x86dd, ip); }

// --- a conversation
// ---------------------------------------------------------------------------------------------------

void Talk::packet(Side from, TcpHeader header, Bytes payload) {
  const Endpoint& source = ends_[static_cast<std::size_t>(from)];
  const Endpoint& target = ends_[static_cast<std::size_t>(other(from))];
  header.window = 65'000;
  const Buffer segment = tcp_segment(source, target, header, payload);
  frames_.push_back({ethernet_ip(ip_packet(source.address, target.address, 6, segment, identification_++)), now_});
  now_ += std::chrono::milliseconds{1};
}

void Talk::send(Side from, std::uint8_t flags, Bytes payload) {
  const std::uint8_t ack = (flags & TcpHeader::kSyn) != 0 && from == Side::client ? 0 : TcpHeader::kAck;
  packet(from, {next(from), ack != 0 ? next(other(from)) : 0, 0, static_cast<std::uint8_t>(flags | ack)}, payload);
  std::uint32_t& next = next_[static_cast<std::size_t>(from)];
  next += static_cast<std::uint32_t>(payload.size());
  if ((flags & (TcpHeader::kSyn | TcpHeader::kFin)) != 0) ++next;
}

Talk& Talk::handshake() {
  send(Side::client, TcpHeader::kSyn, {});
  send(Side::server, TcpHeader::kSyn, {});
  send(Side::client, 0, {});
  return *this;
}

Talk& Talk::say(Side from, Bytes octets, std::size_t segment_size) {
  for (; !octets.empty(); octets.remove_prefix(std::min(octets.size(), segment_size)))
    send(from, TcpHeader::kPush, octets.substr(0, segment_size));
  send(other(from), 0, {});
  return *this;
}

Talk& Talk::fin(Side from) {
  send(from, TcpHeader::kFin, {});
  send(other(from), 0, {});
  return *this;
}

Talk& Talk::reset(Side from) {
  send(from, TcpHeader::kRst, {});
  return *this;
}

Talk& Talk::datagram(Side from, Bytes octets) {
  const Endpoint& source = ends_[static_cast<std::size_t>(from)];
  const Endpoint& target = ends_[static_cast<std::size_t>(other(from))];
  const Buffer made = udp_datagram(source, target, octets);
  frames_.push_back({ethernet_ip(ip_packet(source.address, target.address, 17, made, identification_++)), now_});
  now_ += std::chrono::milliseconds{1};
  return *this;
}

// --- capture files
// ----------------------------------------------------------------------------------------------------

Buffer pcap_file(const std::vector<OwnFrame>& frames, bool nanoseconds, bool big_endian) {
  Buffer out;
  put(out, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 4, big_endian);
  put(out, 2, 2, big_endian);
  put(out, 4, 2, big_endian);
  put(out, 0, 8, big_endian);
  put(out, 262'144, 4, big_endian);
  put(out, frames.empty() ? 1 : frames[0].link_type, 4, big_endian);
  for (const OwnFrame& frame : frames) {
    const auto ns = static_cast<std::uint64_t>(unix_ns(frame.time));
    put(out, ns / 1'000'000'000, 4, big_endian);
    put(out, ns % 1'000'000'000 / (nanoseconds ? 1 : 1'000), 4, big_endian);
    put(out, frame.octets.size(), 4, big_endian);
    put(out, frame.view().wire_length, 4, big_endian);
    out.append(frame.octets);
  }
  return out;
}

Buffer pcapng_file(const std::vector<OwnFrame>& frames, bool big_endian) {
  Buffer out;
  const auto block = [&](std::uint32_t type, Bytes body) {
    const std::size_t size = 12 + (body.size() + 3) / 4 * 4;
    put(out, type, 4, big_endian);
    put(out, size, 4, big_endian);
    out.append(body).append((4 - body.size() % 4) % 4, '\0');
    put(out, size, 4, big_endian);
  };
  Buffer body;
  put(body, 0x1a2b3c4d, 4, big_endian);
  put(body, 1, 2, big_endian);
  put(body, 0, 2, big_endian);
  put(body, UINT64_MAX, 8, big_endian);
  block(0x0a0d0d0a, body);
  std::vector<std::uint32_t> types;
  for (const OwnFrame& frame : frames) {
    auto known = std::ranges::find(types, frame.link_type);
    if (known == types.end()) {
      body.clear();
      put(body, frame.link_type, 2, big_endian);
      put(body, 0, 2, big_endian);
      put(body, 0, 4, big_endian);
      put(body, 9, 2, big_endian);  // if_tsresol: nanoseconds
      put(body, 1, 2, big_endian);
      put(body, 9, 1, big_endian);
      put(body, 0, 3, big_endian);
      put(body, 0, 4, big_endian);
      block(1, body);
      types.push_back(frame.link_type);
      known = std::prev(types.end());
    }
    body.clear();
    const auto ns = static_cast<std::uint64_t>(unix_ns(frame.time));
    put(body, static_cast<std::uint64_t>(known - types.begin()), 4, big_endian);
    put(body, ns >> 32U, 4, big_endian);
    put(body, ns & 0xffffffffU, 4, big_endian);
    put(body, frame.octets.size(), 4, big_endian);
    put(body, frame.view().wire_length, 4, big_endian);
    block(6, body.append(frame.octets));
  }
  return out;
}

Buffer gzipped(Bytes octets) {
  z_stream stream{};
  constexpr int kGzip = 16;
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, 8, Z_DEFAULT_STRATEGY);
  Buffer out(deflateBound(&stream, octets.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TemporaryFile::TemporaryFile(std::string_view name, Bytes octets) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sensor-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  path_ = folder_ + "/" + std::string{name};
  std::ofstream{path_, std::ios::binary} << octets;
}

TemporaryFile::~TemporaryFile() { std::filesystem::remove_all(folder_); }

}  // namespace chancery::sensor::testing
