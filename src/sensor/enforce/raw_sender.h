#pragma once
// The one place that puts packets on the network: raw sockets, opened while the process still has the right to
// (CAP_NET_RAW), usable after it gave the right up.
#include <expected>
#include <string>

#include "core/bytes.h"

namespace chancery::sensor {

class RawSender {
 public:
  // `interface`: packets leave there; empty: where the routing table says. The error is a sentence that says what to
  // do.
  static std::expected<RawSender, std::string> open(const std::string& interface);

  RawSender(RawSender&& other) noexcept;
  RawSender& operator=(RawSender&& other) noexcept;
  RawSender(const RawSender&) = delete;
  ~RawSender();

  // A whole IPv4 or IPv6 packet. Never waits: false when the kernel did not take it (queue full, no route).
  bool send(Bytes ip_packet);

 private:
  RawSender(int v4, int v6) : v4_(v4), v6_(v6) {}
  int v4_ = -1, v6_ = -1;
};

}  // namespace chancery::sensor
