#pragma once
// Frames from a network interface, by libpcap (Linux: TPACKET_V3, a ring shared with the kernel). Opening needs
// CAP_NET_RAW; reading does not: open, drop all rights (rights.h), read.
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "sensor/capture/frame.h"

struct pcap;

namespace chancery::sensor {

class LiveCapture {
 public:
  struct Options {
    std::string interface;
    std::uint32_t snap_length = 65'535;      // octets kept of a frame
    std::uint32_t ring_size = 64U << 20U;    // octets of the ring
    std::chrono::milliseconds hand_over{5};  // a block that is not full is handed over after so long
    bool promiscuous = true;                 // a mirror port carries frames for others
    std::uint16_t fanout_group = 0;          // not 0: captures of one group share the frames by flow (packet(7))
  };
  struct Drops {
    std::uint64_t received = 0;   // by the kernel for this capture
    std::uint64_t ring_full = 0;  // lost because nobody read fast enough
    std::uint64_t interface = 0;  // lost by the interface itself, as far as it says so
  };

  // The error is a sentence that says what to do.
  static std::expected<LiveCapture, std::string> open(const Options& options);

  // Waits at most `patience` for frames and gives all that are there, at most kBatch. The number given; 0: none came
  // or a signal did. The error is a sentence: the interface is gone.
  static constexpr int kBatch = 4'096;
  std::expected<std::size_t, std::string> read(std::chrono::milliseconds patience,
                                               const std::function<void(const Frame&)>& take);

  Drops drops();  // since `open`
  int descriptor() const { return descriptor_; }
  const std::string& interface() const { return interface_; }

 private:
  struct Close {
    void operator()(pcap* handle) const;
  };
  explicit LiveCapture(std::string interface) : interface_(std::move(interface)) {}

  std::unique_ptr<pcap, Close> handle_;
  std::string interface_;
  std::uint32_t link_type_ = 0;
  int descriptor_ = -1;
  Drops counted_;
};

}  // namespace chancery::sensor
