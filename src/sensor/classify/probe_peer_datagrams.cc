// Peer to peer over UDP; docs/protocols/p2p.md has the rules with examples.
#include <algorithm>
#include <array>

#include "sensor/classify/probe.h"
#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

using namespace std::string_view_literals;

std::optional<Finding> p2p(std::string_view application, std::string_view evidence) {
  return Finding{application, Category::p2p, evidence};
}

template <class Test>
std::size_t count(const FlowStart& flow, Test test) {
  return static_cast<std::size_t>(
      std::ranges::count_if(flow.datagrams, [&](const Datagram& datagram) { return test(datagram.octets); }));
}

// BEP 5: one bencoded dictionary with a kind ("1:y1:q", "r" or "e"); its keys are sorted, so it begins with "1:a",
// "1:e", "1:r", "2:ip" (BEP 42) or libtorrent's "1:v".
bool is_dht(Bytes octets) {
  const bool begins = octets.starts_with("d1:ad2:") || octets.starts_with("d1:rd2:") || octets.starts_with("d1:eli") ||
                      octets.starts_with("d2:ip") || octets.starts_with("d1:ad4:") || octets.starts_with("d1:t");
  if (!begins || !octets.ends_with('e')) return false;
  const auto kind = octets.find("1:y1:");
  return kind != Bytes::npos && ("qre"sv).find(octets.substr(kind + 5, 1)) != Bytes::npos;
}

// BEP 15: the connect request's magic; BEP 14: local service discovery.
bool is_tracker_connect(Bytes octets) {
  return octets.size() == 16 && octets.starts_with("\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00"sv);
}

// BEP 29: kind and version 1, an extension of 0, 1 or 2, connection, two times, window, sequence, acknowledgement.
// Its chain of extensions must end within the datagram.
bool is_utp(Bytes octets) {
  constexpr std::size_t kHead = 20, kExtensionsMax = 4;
  if (octets.size() < kHead || (octet(octets, 0) & 0xf) != 1 || octet(octets, 0) >> 4 > 4) return false;
  std::uint8_t next = octet(octets, 1);
  std::size_t at = kHead;
  for (std::size_t i = 0; next != 0; ++i) {
    if (next > 3 || i == kExtensionsMax || at + 2 > octets.size()) return false;
    next = octet(octets, at);
    at += 2U + octet(octets, at + 1);
    if (at > octets.size()) return false;
  }
  const unsigned kind = octet(octets, 0) >> 4;
  return kind == 0 || octets.size() == at || kind == 1;  // only ST_DATA carries octets
}

// The opening: ST_SYN with connection c and sequence s, answered by ST_STATE with connection c that acknowledges s. Or
// in mid-stream: both sides' connections constant and one apart, each side seen at least three times.
bool is_utp_conversation(const FlowStart& flow) {
  constexpr std::size_t kProof = 3;
  const Datagram* syn = nullptr;
  std::array<std::size_t, 2> seen{};
  std::array<std::uint16_t, 2> connection{};
  for (const Datagram& datagram : flow.datagrams) {
    if (!is_utp(datagram.octets)) return false;
    const std::size_t side = datagram.from == Side::client ? 0 : 1;
    const std::uint8_t kind = octet(datagram.octets, 0) >> 4;
    if (kind == 4) {
      syn = &datagram;
      continue;
    }
    const std::uint16_t own = be16(datagram.octets, 2);
    if (syn != nullptr && datagram.from != syn->from && kind == 2 && own == be16(syn->octets, 2) &&
        be16(datagram.octets, 18) == be16(syn->octets, 16) && be32(syn->octets, 4) != 0)
      return true;
    if (seen[side]++ > 0 && connection[side] != own) return false;
    connection[side] = own;
  }
  const int apart = connection[0] - connection[1];
  return seen[0] >= kProof && seen[1] >= kProof && (apart == 1 || apart == -1);
}

std::optional<Finding> bittorrent(const FlowStart& flow) {
  if (count(flow, is_dht) > 0) return p2p("BitTorrent", "payload: DHT message");
  if (count(flow, is_tracker_connect) > 0) return p2p("BitTorrent", "payload: UDP tracker request");
  if (count(flow, [](Bytes octets) { return octets.starts_with("BT-SEARCH * HTTP/1."); }) > 0)
    return p2p("BitTorrent", "payload: BitTorrent local discovery");
  const auto has_handshake = [](Bytes octets) {
    return is_utp(octets) && octets.substr(0, 64).find(
                                 "\x13"
                                 "BitTorrent protocol") != Bytes::npos;
  };
  if (count(flow, has_handshake) > 0) return p2p("BitTorrent", "payload: BitTorrent handshake in uTP");
  if (is_utp_conversation(flow)) return p2p("BitTorrent", "payload: uTP conversation");
  return std::nullopt;
}

// Gnutella: a descriptor that the datagram holds exactly (the head as over TCP; LimeWire's Mojito puts its version
// where TTL and hops are, kind 0x44), or GND, the reliable datagrams of Gnutella 2 (g2.doxu.org, "UDP Transceiver").
bool is_descriptor(Bytes octets) {
  constexpr std::size_t kHead = 23;
  constexpr Bytes kKinds = "\x00\x01\x02\x30\x31\x32\x40\x80\x81"sv;
  if (octets.size() < kHead || le32(octets, 19) != octets.size() - kHead) return false;
  if (octets.substr(0, 16).find_first_not_of(octets[0]) == Bytes::npos) return false;
  if (octet(octets, 16) == 0x44) return octet(octets, 17) <= 1 && octets.size() > kHead + 8;
  const unsigned hops = octet(octets, 17) + 0U + octet(octets, 18);
  return kKinds.find(octets[16]) != Bytes::npos && hops >= 1 && hops <= 15;
}

bool is_gnd(Bytes octets) {
  if (octets.size() < 8 || !octets.starts_with("GND") || octet(octets, 3) > 0x1f) return false;
  const unsigned part = octet(octets, 6), parts = octet(octets, 7);
  return part >= 1 && (parts == 0 ? octets.size() == 8 : part <= parts);
}

std::optional<Finding> gnutella(const FlowStart& flow) {
  if (count(flow, is_descriptor) > 0) return p2p("Gnutella", "payload: Gnutella descriptor");
  if (count(flow, is_gnd) > 0) return p2p("Gnutella", "payload: Gnutella 2 datagram");
  return std::nullopt;
}

// eDonkey's servers (the eMule source, UDPSocket.cpp): status request 0xe3 0x96 with a challenge 0x55aa in its high
// half, answered with the same challenge by 0x97. Kademlia (kademlia/net): 0xe4 or 0xe5 (packed); request 0x21 of 35
// octets, whose target of 16 the answer 0x29 repeats.
std::optional<Finding> edonkey(const FlowStart& flow) {
  constexpr std::size_t kKadRequest = 35;
  const auto is_kad_request = [](Bytes octets) {
    const std::uint8_t wanted = octet(octets, 2);
    return octets.size() == kKadRequest && octets.starts_with("\xe4\x21") &&
           (wanted == 2 || wanted == 4 || wanted == 11);
  };
  const auto is_status = [](Bytes octets) {
    return (octets.size() == 6 && octets.starts_with("\xe3\x96") && be16(octets, 4) == 0xaa55) ||
           (octets.size() >= 14 && octets.size() <= 64 && octets.starts_with("\xe3\x97") && be16(octets, 4) == 0xaa55);
  };
  if (count(flow, is_status) > 0) return p2p("eDonkey", "payload: eDonkey server status");
  if (count(flow, is_kad_request) >= 2) return p2p("eDonkey", "payload: Kademlia requests of eMule");
  for (const Datagram& asked : flow.datagrams)
    for (const Datagram& answered : flow.datagrams)
      if (is_kad_request(asked.octets) && answered.from != asked.from && answered.octets.starts_with("\xe4\x29") &&
          answered.octets.substr(2, 16) == asked.octets.substr(3, 16))
        return p2p("eDonkey", "payload: Kademlia request and answer of eMule");
  return std::nullopt;
}

// FastTrack (giFT-FastTrack, PROTOCOL): ping 0x27, pong 0x28 or 0x29 with the network's name.
std::optional<Finding> fasttrack(const FlowStart& flow) {
  const auto is_ping = [](Bytes octets) {
    const std::uint8_t kind = octet(octets, 0);
    return kind >= 0x27 && kind <= 0x29 && octets.substr(0, 64).find("KaZaA\0"sv) != Bytes::npos;
  };
  if (count(flow, is_ping) > 0) return p2p("FastTrack", "payload: FastTrack supernode ping");
  return std::nullopt;
}

// Direct Connect: search results by UDP, "$SR nick …|" (NMDC), "URES cid …\n" (ADC §5.3.7).
std::optional<Finding> direct_connect(const FlowStart& flow) {
  const auto is_result = [](Bytes octets) {
    return (octets.starts_with("$SR ") && octets.find('\5') != Bytes::npos) ||
           (octets.starts_with("URES ") && octets.ends_with('\n') && octets.size() > 44);
  };
  if (count(flow, is_result) > 0) return p2p("DirectConnect", "payload: Direct Connect search result");
  return std::nullopt;
}

// Manolito (OpenDPI's notes): 0x3d or 0x3e, 0x4a or 0x4b, 0xd9; all datagrams of the flow, at least three.
std::optional<Finding> manolito(const FlowStart& flow) {
  const auto fits = [](Bytes octets) {
    return octets.size() >= 20 && (octet(octets, 0) & 0xfc) == 0x3c && octet(octets, 0) != 0x3f &&
           (octet(octets, 1) & 0xfe) == 0x4a && octet(octets, 2) == 0xd9;
  };
  if (flow.datagrams.size() < 3 || count(flow, fits) != flow.datagrams.size()) return std::nullopt;
  return p2p("Manolito", "payload: Manolito datagrams");
}

constexpr std::array<Probe, 6> kProbes{bittorrent, gnutella, edonkey, fasttrack, direct_connect, manolito};

}  // namespace

std::span<const Probe> peer_datagram_probes() { return kProbes; }

}  // namespace chancery::sensor
