#pragma once
// Takes off what lies around an IP packet on a mirror port or in a capture file: Ethernet, VLAN and QinQ, Linux cooked
// (SLL, SLL2), loopback, raw IP, PPP, PPPoE, MPLS, GRE, VXLAN, GENEVE, ERSPAN I to III, IP in IP; and puts fragments
// together. Checksums are not verified: captures of a sending host hold unfinished ones.
#include "sensor/capture/frame.h"
#include "sensor/packet/fragments.h"
#include "sensor/packet/packet.h"
#include "sensor/packet/skip.h"

namespace chancery::sensor {

inline constexpr int kLayersMax = 24;  // headers around one packet, extension headers of IPv6 included

class Decapsulator {
 public:
  explicit Decapsulator(SkipCounts& skipped, const FragmentLimits& limits = {})
      : skipped_(skipped), fragments_(limits, skipped) {}

  // False: there is no TCP or UDP in it (counted in `skipped`), or it is a fragment that waits for others.
  bool read(const Frame& frame, Packet& packet);
  void finish() { fragments_.clear(); }

  std::size_t memory() const { return fragments_.memory(); }

 private:
  // What the next header is; `end`: there is nothing more to do.
  enum class Layer : std::uint8_t { ethernet, ether_type, ppp, pppoe, mpls, ip, gre, transport, end };

  Layer link(std::uint32_t link_type);
  Layer ethernet();
  Layer ether_type();
  Layer cooked(bool second_version);
  Layer loopback(bool network_order);
  Layer ppp();
  Layer pppoe();
  Layer mpls();
  Layer ip();
  Layer ipv4();
  Layer ipv6();
  Layer ipv6_fragment();
  Layer of_protocol();
  Layer gre();
  Layer pptp(std::uint16_t flags);
  Layer erspan2(bool has_sequence);
  Layer erspan3();
  Layer transport(Packet& packet);
  Layer tcp(Packet& packet);
  Layer udp(Packet& packet);
  Layer udp_tunnel(std::uint16_t port, Bytes payload);
  Layer reassemble(const Fragment& fragment);
  Layer skip(Skip why);
  Layer too_short() { return skip(cut_ ? Skip::truncated : Skip::bad_header); }

  SkipCounts& skipped_;
  Fragments fragments_;

  Instant now_;
  Bytes rest_;                 // from the next header on, as captured
  std::size_t missing_ = 0;    // octets on the wire behind `rest_`
  bool cut_ = false;           // the frame was cut at the snap length
  std::uint16_t type_ = 0;     // ethertype
  std::uint8_t protocol_ = 0;  // of IP
  std::uint16_t identification_ = 0;
  Bytes ip_;  // the innermost IP packet
  Address source_, destination_;
};

}  // namespace chancery::sensor
