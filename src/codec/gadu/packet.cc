#include "codec/gadu/packet.h"

#include "codec/wire/octets.h"

namespace chancery::gadu {
namespace {

constexpr std::uint32_t kTypeMax = 0x200;
constexpr std::uint32_t kSizeMax = 65'535;
constexpr std::size_t kTold = 24;  // octets behind the header that tell

Measured measure(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  if (octets.size() < kHeaderSize) return Measured::more(kHeaderSize);
  Octets header{octets};
  const std::uint32_t type = header.u32_le();
  const std::uint32_t size = header.u32_le();
  if (type == 0 || type > kTypeMax || size > kSizeMax) return Measured::wrong();
  return Measured::frame(kHeaderSize + size);
}

bool is_class(std::uint32_t value) { return value != 0 && value < 0x100; }
bool is_recent(std::uint32_t seconds) { return seconds > 946'684'800 && seconds < 2'500'000'000; }  // since 2000

// The server's number is at most 9 digits, and its clock is right.
bool is_message_of_server(std::uint32_t type, std::uint32_t size, Octets body) {
  const std::uint32_t sender = body.u32_le();
  body.u32_le();  // sequence
  const std::uint32_t time = body.u32_le();
  const std::uint32_t kind = body.u32_le();
  const bool plain = sender != 0 && is_recent(time) && is_class(kind);
  if (static_cast<FromServer>(type) == FromServer::recv_msg) return plain && size > 16;
  const std::uint32_t text = body.u32_le();
  const std::uint32_t attributes = body.u32_le();
  return plain && text >= kTold && text <= attributes && attributes <= size;
}

bool is_message_of_client(std::uint32_t type, std::uint32_t size, Octets body) {
  const std::uint32_t receiver = body.u32_le();
  body.u32_le();  // sequence
  const std::uint32_t kind = body.u32_le();
  constexpr std::size_t kFixed = 20;
  const std::uint32_t text = body.u32_le();
  const std::uint32_t attributes = body.u32_le();
  return static_cast<FromClient>(type) == FromClient::send_msg80 && receiver != 0 && is_class(kind) && text >= kFixed &&
         text <= attributes && attributes <= size;
}

// A number, a kind of hash (1 or 2) and 64 octets for the hash; or the language first; or both as protobuf.
bool is_login(std::uint32_t type, std::uint32_t size, Bytes body) {
  switch (static_cast<FromClient>(type)) {
    case FromClient::login70:
      return size >= 92 && (body[4] == 1 || body[4] == 2);
    case FromClient::login80:
      return size >= 90 && body.substr(4, 2) == "pl" && (body[6] == 1 || body[6] == 2);
    case FromClient::login105:
      return size >= 40 && body.substr(0, 4) == Bytes{"\x0a\x02pl", 4} && body[4] == 0x12;
    default:
      return false;
  }
}

bool is_told_about(Side from, std::uint32_t type) {
  if (from == Side::server)
    return type == static_cast<std::uint32_t>(FromServer::recv_msg) ||
           type == static_cast<std::uint32_t>(FromServer::recv_msg80);
  switch (static_cast<FromClient>(type)) {
    case FromClient::login70:
    case FromClient::login80:
    case FromClient::login105:
    case FromClient::send_msg80:
      return true;
    default:
      return false;
  }
}

// A type and a length are little: only packets whose contents have a form of their own tell.
Likeness begins(Side from, Bytes octets) {
  if (octets[0] == 0 || (octets.size() > 3 && (octets[2] != 0 || octets[3] != 0))) return Likeness::no;
  if (octets.size() < kHeaderSize) return Likeness::need_more;
  Octets header{octets};
  const std::uint32_t type = header.u32_le();
  const std::uint32_t size = header.u32_le();
  if (size < kTold || size > kSizeMax || !is_told_about(from, type)) return Likeness::no;
  const Bytes body = octets.substr(kHeaderSize);
  if (body.size() < kTold) return Likeness::need_more;
  const bool tells = from == Side::server
                         ? is_message_of_server(type, size, Octets{body})
                         : is_login(type, size, body) || is_message_of_client(type, size, Octets{body});
  return tells ? Likeness::yes : Likeness::no;
}

}  // namespace

const Framing kFraming{measure, begins};

std::uint32_t type_of(Bytes packet) { return Octets{packet}.u32_le(); }
Bytes body_of(Bytes packet) { return packet.substr(kHeaderSize); }

// A server that has only welcomed may be anybody: the client's answer tells.
Likeness probe(Side from, Bytes octets) { return probe_frames(kFraming, from, octets); }

}  // namespace chancery::gadu
