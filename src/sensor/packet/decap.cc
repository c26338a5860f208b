#include "sensor/packet/decap.h"

#include <algorithm>
#include <cstring>

#include "sensor/packet/octets.h"

namespace chancery::sensor {
namespace {

// https://www.tcpdump.org/linktypes.html
enum LinkType : std::uint32_t {
  kNull = 0,
  kEthernet = 1,
  kPpp = 9,
  kRawBsd = 12,
  kRawOpenBsd = 14,
  kPppHdlc = 50,
  kPppoeLink = 51,
  kRaw = 101,
  kLoop = 108,
  kCooked = 113,
  kMplsLink = 219,
  kIpv4Link = 228,
  kIpv6Link = 229,
  kCooked2 = 276,
};

enum EtherType : std::uint16_t {
  kIpv4 = 0x0800,
  kVlan = 0x8100,
  kQinq = 0x88a8,
  kQinqOld = 0x9100,
  kIpv6 = 0x86dd,
  kPppoeSession = 0x8864,
  kMplsUnicast = 0x8847,
  kMplsMulticast = 0x8848,
  kTransparentEthernet = 0x6558,
  kPppInGre = 0x880b,
  kErspan12 = 0x88be,
  kErspan3 = 0x22eb,
};

enum IpProtocol : std::uint8_t {
  kHopByHop = 0,
  kIpInIp = 4,
  kTcp = 6,
  kUdp = 17,
  kIpv6InIp = 41,
  kRouting = 43,
  kFragmentHeader = 44,
  kGre = 47,
  kAuthentication = 51,
  kDestination = 60,
  kMobility = 135,
};

constexpr std::size_t kEthernetHeader = 14, kIpv4Header = 20, kIpv6Header = 40, kTcpMin = 20, kUdpHeader = 8;

bool is_vlan(std::uint16_t type) { return type == kVlan || type == kQinq || type == kQinqOld; }

}  // namespace

bool Decapsulator::read(const Frame& frame, Packet& packet) {
  now_ = frame.time;
  rest_ = frame.octets;
  missing_ = frame.wire_length - frame.octets.size();
  cut_ = missing_ > 0;
  Layer next = link(frame.link_type);
  for (int layers = 0; next != Layer::end; ++layers) {
    if (layers == kLayersMax) {
      skipped_.add(Skip::too_deep);
      return false;
    }
    switch (next) {
      case Layer::ethernet:
        next = ethernet();
        break;
      case Layer::ether_type:
        next = ether_type();
        break;
      case Layer::ppp:
        next = ppp();
        break;
      case Layer::pppoe:
        next = pppoe();
        break;
      case Layer::mpls:
        next = mpls();
        break;
      case Layer::ip:
        next = ip();
        break;
      case Layer::gre:
        next = gre();
        break;
      case Layer::transport:
        packet.payload = {};
        next = transport(packet);
        if (next != Layer::end) break;
        if (packet.payload.data() == nullptr) return false;
        packet.time = frame.time;
        packet.wire_length = frame.wire_length;
        packet.identification = identification_;
        packet.ip = ip_;
        return true;
      case Layer::end:
        break;
    }
  }
  return false;
}

Decapsulator::Layer Decapsulator::skip(Skip why) {
  skipped_.add(why);
  return Layer::end;
}

Decapsulator::Layer Decapsulator::link(std::uint32_t link_type) {
  switch (link_type) {
    case kEthernet:
      return Layer::ethernet;
    case kNull:
      return loopback(false);
    case kLoop:
      return loopback(true);
    case kRaw:
    case kRawBsd:
    case kRawOpenBsd:
    case kIpv4Link:
    case kIpv6Link:
      return Layer::ip;
    case kCooked:
      return cooked(false);
    case kCooked2:
      return cooked(true);
    case kPpp:
    case kPppHdlc:
      return Layer::ppp;
    case kPppoeLink:
      return Layer::pppoe;
    case kMplsLink:
      return Layer::mpls;
    default:
      return skip(Skip::link_type);
  }
}

Decapsulator::Layer Decapsulator::ethernet() {
  if (rest_.size() < kEthernetHeader) return too_short();
  type_ = be16(rest_, 12);
  rest_.remove_prefix(kEthernetHeader);
  return Layer::ether_type;
}

Decapsulator::Layer Decapsulator::ether_type() {
  if (is_vlan(type_)) {
    if (rest_.size() < 4) return too_short();
    type_ = be16(rest_, 2);
    rest_.remove_prefix(4);
    return Layer::ether_type;
  }
  switch (type_) {
    case kIpv4:
    case kIpv6:
      return Layer::ip;
    case kPppoeSession:
      return Layer::pppoe;
    case kMplsUnicast:
    case kMplsMulticast:
      return Layer::mpls;
    case kTransparentEthernet:
      return Layer::ethernet;
    default:
      return skip(Skip::not_ip);
  }
}

// LINKTYPE_LINUX_SLL: type 2, ARPHRD 2, address 2 + 8, protocol 2. SLL2: protocol 2 first, 20 octets in all.
Decapsulator::Layer Decapsulator::cooked(bool second_version) {
  const std::size_t size = second_version ? 20 : 16;
  if (rest_.size() < size) return too_short();
  type_ = be16(rest_, second_version ? 0 : 14);
  rest_.remove_prefix(size);
  return Layer::ether_type;
}

// Four octets of address family, in the byte order of the capturing host: what it holds is told by IP's own version.
Decapsulator::Layer Decapsulator::loopback(bool /*network_order*/) {
  if (rest_.size() < 4) return too_short();
  rest_.remove_prefix(4);
  return Layer::ip;
}

// RFC 1661 §2, RFC 1662 §3.1: address and control may be left out, and the protocol's first octet when it is zero.
Decapsulator::Layer Decapsulator::ppp() {
  if (rest_.starts_with("\xff\x03")) rest_.remove_prefix(2);
  if (rest_.empty()) return too_short();
  std::uint16_t protocol = octet(rest_, 0);
  std::size_t size = 1;
  if ((protocol & 1U) == 0) {
    if (rest_.size() < 2) return too_short();
    protocol = be16(rest_, 0);
    size = 2;
  }
  rest_.remove_prefix(size);
  switch (protocol) {
    case 0x0021:
    case 0x0057:
      return Layer::ip;
    case 0x0281:
    case 0x0283:
      return Layer::mpls;
    default:
      return skip(Skip::not_ip);
  }
}

// RFC 2516 §4.
Decapsulator::Layer Decapsulator::pppoe() {
  if (rest_.size() < 6) return too_short();
  if (octet(rest_, 0) != 0x11 || octet(rest_, 1) != 0) return skip(Skip::not_ip);
  rest_.remove_prefix(6);
  return Layer::ppp;
}

// RFC 3032 §2.1: labels until the bottom of the stack. What lies below is not said: IP by its version, or Ethernet,
// with or without a control word (RFC 4448 §4.6).
Decapsulator::Layer Decapsulator::mpls() {
  for (int labels = 0;; ++labels) {
    if (rest_.size() < 4) return too_short();
    if (labels == kLayersMax) return skip(Skip::too_deep);
    const bool bottom = (octet(rest_, 2) & 1U) != 0;
    rest_.remove_prefix(4);
    if (bottom) break;
  }
  if (rest_.empty()) return too_short();
  const unsigned nibble = octet(rest_, 0) >> 4U;
  if (nibble == 4 || nibble == 6) return Layer::ip;
  if (rest_.size() >= 4 && nibble == 0 && be16(rest_, 0) == 0) rest_.remove_prefix(4);
  return Layer::ethernet;
}

Decapsulator::Layer Decapsulator::ip() {
  if (rest_.empty()) return too_short();
  switch (octet(rest_, 0) >> 4U) {
    case 4:
      return ipv4();
    case 6:
      return ipv6();
    default:
      return skip(Skip::bad_header);
  }
}

Decapsulator::Layer Decapsulator::ipv4() {
  if (rest_.size() < kIpv4Header) return too_short();
  const std::size_t header = (octet(rest_, 0) & 15U) * 4U;
  std::size_t total = be16(rest_, 2);
  const std::size_t on_wire = rest_.size() + missing_;
  if (total == 0) total = on_wire;  // left to the network card (TCP segmentation offload)
  if (header < kIpv4Header || total < header) return skip(Skip::bad_header);
  if (total > on_wire) return skip(Skip::bad_length);
  if (header > rest_.size()) return too_short();
  rest_ = rest_.substr(0, total);
  missing_ = total - rest_.size();
  ip_ = rest_;
  source_ = Address::v4(rest_.substr(12, 4));
  destination_ = Address::v4(rest_.substr(16, 4));
  identification_ = be16(rest_, 4);
  protocol_ = octet(rest_, 9);
  const std::uint16_t fragment = be16(rest_, 6);
  constexpr std::uint16_t kMore = 0x2000, kOffset = 0x1fff;
  const Bytes head = rest_.substr(0, header);
  rest_.remove_prefix(header);
  if ((fragment & (kMore | kOffset)) == 0) return of_protocol();
  return reassemble({{source_, destination_, identification_, protocol_},
                     head,
                     static_cast<std::uint32_t>(fragment & kOffset) * 8U,
                     (fragment & kMore) != 0,
                     rest_});
}

Decapsulator::Layer Decapsulator::ipv6() {
  if (rest_.size() < kIpv6Header) return too_short();
  std::size_t total = kIpv6Header + be16(rest_, 4);
  const std::size_t on_wire = rest_.size() + missing_;
  if (total == kIpv6Header && octet(rest_, 6) != 59) total = on_wire;  // a jumbogram, or segmentation offload
  if (total > on_wire) return skip(Skip::bad_length);
  rest_ = rest_.substr(0, total);
  missing_ = total - rest_.size();
  ip_ = rest_;
  source_ = Address::v6(rest_.substr(8, 16));
  destination_ = Address::v6(rest_.substr(24, 16));
  identification_ = 0;
  protocol_ = octet(rest_, 6);
  rest_.remove_prefix(kIpv6Header);
  // RFC 8200 §4.1: extension headers, in any order, each as often as it likes.
  for (int headers = 0; headers < kLayersMax; ++headers) {
    if (protocol_ == kFragmentHeader) return ipv6_fragment();
    const bool extension = protocol_ == kHopByHop || protocol_ == kRouting || protocol_ == kDestination ||
                           protocol_ == kMobility || protocol_ == kAuthentication;
    if (!extension) return of_protocol();
    if (rest_.size() < 8) return too_short();
    const std::size_t length = octet(rest_, 1);
    const std::size_t size = protocol_ == kAuthentication ? (length + 2) * 4 : (length + 1) * 8;
    if (size > rest_.size()) return too_short();
    protocol_ = octet(rest_, 0);
    rest_.remove_prefix(size);
  }
  return skip(Skip::too_deep);
}

// The packet that comes of it has the fixed header alone, so that it reads as if it had never been cut.
Decapsulator::Layer Decapsulator::ipv6_fragment() {
  if (rest_.size() < 8) return too_short();
  std::string header{ip_.substr(0, kIpv6Header)};
  protocol_ = octet(rest_, 0);
  header[6] = rest_[0];
  const std::uint16_t place = be16(rest_, 2);
  const std::uint32_t identification = be32(rest_, 4);
  rest_.remove_prefix(8);
  if ((place & 0xfff9U) == 0) return of_protocol();  // an atomic fragment (RFC 6946)
  return reassemble(
      {{source_, destination_, identification, protocol_}, header, place & 0xfff8U, (place & 1U) != 0, rest_});
}

Decapsulator::Layer Decapsulator::reassemble(const Fragment& fragment) {
  if (missing_ > 0) return skip(Skip::truncated);
  const auto whole = fragments_.add(fragment, now_);
  if (!whole) return Layer::end;
  const std::size_t header = fragment.key.source.is_v4() ? (octet(*whole, 0) & 15U) * 4U : kIpv6Header;
  ip_ = *whole;
  rest_ = whole->substr(header);
  cut_ = false;
  return of_protocol();
}

Decapsulator::Layer Decapsulator::of_protocol() {
  switch (protocol_) {
    case kTcp:
    case kUdp:
      return Layer::transport;
    case kIpInIp:
    case kIpv6InIp:
      return Layer::ip;
    case kGre:
      return Layer::gre;
    default:
      return skip(Skip::other_transport);
  }
}

// RFC 2784, RFC 2890; version 1 is PPTP's (RFC 2637 §4.1).
Decapsulator::Layer Decapsulator::gre() {
  if (rest_.size() < 4) return too_short();
  const std::uint16_t flags = be16(rest_, 0);
  type_ = be16(rest_, 2);
  constexpr std::uint16_t kChecksum = 0x8000, kRoutingBit = 0x4000, kKey = 0x2000, kSequence = 0x1000;
  if ((flags & 7U) == 1) return pptp(flags);
  if ((flags & 7U) != 0 || (flags & kRoutingBit) != 0) return skip(Skip::bad_header);
  std::size_t size = 4;
  for (const std::uint16_t flag : {kChecksum, kKey, kSequence})
    if ((flags & flag) != 0) size += 4;
  if (rest_.size() < size) return too_short();
  rest_.remove_prefix(size);
  if (type_ == kErspan12) return erspan2((flags & kSequence) != 0);
  if (type_ == kErspan3) return erspan3();
  return Layer::ether_type;
}

Decapsulator::Layer Decapsulator::pptp(std::uint16_t flags) {
  constexpr std::uint16_t kSequence = 0x1000, kAcknowledgement = 0x0080;
  if (type_ != kPppInGre) return skip(Skip::bad_header);
  if ((flags & kSequence) == 0) return skip(Skip::other_transport);  // an acknowledgement alone
  const std::size_t size = (flags & kAcknowledgement) != 0 ? 16 : 12;
  if (rest_.size() < size) return too_short();
  rest_.remove_prefix(size);
  return Layer::ppp;
}

// draft-foschiano-erspan §4.1 (type I: no header), §4.2 (type II: 8 octets).
Decapsulator::Layer Decapsulator::erspan2(bool has_sequence) {
  if (!has_sequence) return Layer::ethernet;
  if (rest_.size() < 8) return too_short();
  rest_.remove_prefix(8);
  return Layer::ethernet;
}

// draft-foschiano-erspan §4.3: 12 octets, 8 more where the last bit says so; the frame type tells Ethernet from IP.
Decapsulator::Layer Decapsulator::erspan3() {
  if (rest_.size() < 12) return too_short();
  const std::uint16_t last = be16(rest_, 10);
  const std::size_t size = (last & 1U) != 0 ? 20 : 12;
  const unsigned frame_type = last >> 10U & 0x1fU;
  if (rest_.size() < size) return too_short();
  rest_.remove_prefix(size);
  return frame_type == 2 ? Layer::ip : Layer::ethernet;
}

Decapsulator::Layer Decapsulator::transport(Packet& packet) {
  packet.source.address = source_;
  packet.destination.address = destination_;
  return protocol_ == kTcp ? tcp(packet) : udp(packet);
}

Decapsulator::Layer Decapsulator::tcp(Packet& packet) {
  if (rest_.size() < kTcpMin) return too_short();
  const std::size_t header = (octet(rest_, 12) >> 4U) * 4U;
  if (header < kTcpMin) return skip(Skip::bad_header);
  if (header > rest_.size() + missing_) return skip(Skip::bad_header);
  packet.transport = Transport::tcp;
  packet.source.port = be16(rest_, 0);
  packet.destination.port = be16(rest_, 2);
  packet.tcp = {be32(rest_, 4), be32(rest_, 8), be16(rest_, 14), octet(rest_, 13)};
  packet.payload = header <= rest_.size() ? rest_.substr(header) : rest_.substr(rest_.size());
  packet.missing = static_cast<std::uint32_t>(rest_.size() + missing_ - header - packet.payload.size());
  return Layer::end;
}

Decapsulator::Layer Decapsulator::udp(Packet& packet) {
  if (rest_.size() < kUdpHeader) return too_short();
  std::size_t length = be16(rest_, 4);
  if (length == 0) length = rest_.size() + missing_;  // a jumbogram, or segmentation offload
  if (length < kUdpHeader) return skip(Skip::bad_header);
  if (length > rest_.size() + missing_) return skip(Skip::bad_length);
  packet.transport = Transport::udp;
  packet.source.port = be16(rest_, 0);
  packet.destination.port = be16(rest_, 2);
  packet.payload = rest_.substr(kUdpHeader, length - kUdpHeader);
  packet.missing = static_cast<std::uint32_t>(length - kUdpHeader - packet.payload.size());
  missing_ = packet.missing;
  return udp_tunnel(packet.destination.port, packet.payload);
}

// A port alone is not believed: the tunnel's header must be right, and what it holds must be a known ethertype.
Decapsulator::Layer Decapsulator::udp_tunnel(std::uint16_t port, Bytes payload) {
  constexpr std::uint16_t kVxlan = 4789, kVxlanLinux = 8472, kGeneve = 6081;
  std::size_t header = 8;
  if (payload.size() < header + kEthernetHeader) return Layer::end;
  if (port == kVxlan || port == kVxlanLinux) {
    if (be32(payload, 0) != 0x08000000U || octet(payload, 7) != 0) return Layer::end;  // RFC 7348 §5
  } else if (port == kGeneve) {
    if ((octet(payload, 0) & 0xc0U) != 0 || be16(payload, 2) != kTransparentEthernet || octet(payload, 7) != 0)
      return Layer::end;  // RFC 8926 §3.4
    header += (octet(payload, 0) & 0x3fU) * 4U;
  } else {
    return Layer::end;
  }
  if (payload.size() < header + kEthernetHeader) return Layer::end;
  const std::uint16_t inner = be16(payload, header + 12);
  if (inner != kIpv4 && inner != kIpv6 && inner != kMplsUnicast && inner != 0x0806 && !is_vlan(inner))
    return Layer::end;
  rest_ = payload.substr(header);
  return Layer::ethernet;
}

}  // namespace chancery::sensor
