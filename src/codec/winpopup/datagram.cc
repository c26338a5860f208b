// UDP: DCE/RPC to the Messenger service, and NetBIOS datagrams to its mailslot.
#include <algorithm>

#include "codec/winpopup/popup.h"
#include "codec/wire/octets.h"

namespace chancery::winpopup {
namespace {

// 5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc, as little-endian machines write it, and as the others do.
constexpr Bytes kMessengerLittle{"\xf8\x91\x7b\x5a\x00\xff\xd0\x11\xa9\xb2\x00\xc0\x4f\xb6\xe6\xfc", 16};
constexpr Bytes kMessengerBig{"\x5a\x7b\x91\xf8\xff\x00\x11\xd0\xa9\xb2\x00\xc0\x4f\xb6\xe6\xfc", 16};

constexpr std::size_t kRpcHeader = 80;
constexpr std::uint8_t kRpcVersion = 4;
constexpr std::uint8_t kRequest = 0;
constexpr Bytes kMailslot{"\\MAILSLOT\\MESSNGR"};
constexpr Bytes kSmb{"\xffSMB"};
constexpr char kTransaction = 0x25;

// NDR's conformant and varying string: maximum, offset, count (4 each), so many octets, then up to a multiple of 4.
std::optional<Bytes> take_string(Octets& in, bool little) {
  const auto number = [&] { return little ? in.u32_le() : in.u32(); };
  number();
  const std::uint32_t offset = number();
  const std::uint32_t count = number();
  const Bytes octets = in.take(count);
  if (!in.ok() || offset != 0) return std::nullopt;
  if (in.left() > 0) in.skip(std::min(in.left(), (4 - in.at() % 4) % 4));
  return octets;
}

}  // namespace

// C706 §12.6.3.1: the connectionless header.
std::optional<Popup> read_rpc(Bytes datagram) {
  Octets in{datagram};
  const std::uint8_t version = in.u8();
  const std::uint8_t type = in.u8() & 0x1f;
  in.u16();  // flags
  const bool little = (in.u8() >> 4) == 1;
  in.skip(3 + 16);  // the rest of the data representation, serial number, object
  const Bytes interface = in.take(16);
  if (!in.ok() || version != kRpcVersion || type != kRequest || datagram.size() < kRpcHeader) return std::nullopt;
  if (interface != (little ? kMessengerLittle : kMessengerBig)) return std::nullopt;
  Octets stub{datagram.substr(kRpcHeader)};
  Popup popup;
  for (Bytes* each : {&popup.from, &popup.to, &popup.text}) {
    const auto octets = take_string(stub, little);
    if (!octets) return std::nullopt;
    *each = *octets;
  }
  return popup;
}

// RFC 1002 §4.4: 14 octets, two names of 34, then an SMB transaction whose data are three strings, each ended by 0.
std::optional<Popup> read_mailslot(Bytes datagram) {
  constexpr std::size_t kNames = 14 + 2 * 34;
  if (datagram.size() <= kNames || datagram[0] < 0x10 || datagram[0] > 0x12) return std::nullopt;
  const Bytes smb = datagram.substr(kNames);
  if (!smb.starts_with(kSmb) || smb.size() < 60 || smb[4] != kTransaction) return std::nullopt;
  if (smb.find(kMailslot) == Bytes::npos) return std::nullopt;
  Octets words{smb.substr(33)};
  words.skip(22);  // counts that are wanted, flags, time-out, parameters
  const std::size_t count = words.u16_le();
  const std::size_t offset = words.u16_le();
  if (offset > smb.size() || count > smb.size() - offset) return std::nullopt;
  Octets data{smb.substr(offset, count)};
  Popup popup;
  popup.from = data.until_zero();
  popup.to = data.until_zero();
  popup.text = data.until_zero();
  return popup;
}

}  // namespace chancery::winpopup
