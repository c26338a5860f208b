#pragma once
// Frames from an interface, by libpcap (on Linux: TPACKET_V3, a ring shared with the kernel). Opening needs
// CAP_NET_RAW; reading needs no right at all, so rights are dropped (rights.h) once it is open.
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sensor/capture/frame.h"

namespace chancery::sensor {

struct LiveOptions {
  std::string interface;                 // "any": all of them
  std::uint32_t ring_size = 64U << 20U;  // octets
  std::uint32_t snap_length = 65'535;    // octets of each frame; longer ones are cut, and counted as such
  bool promiscuous = true;               // also what is not for this host: a mirror port needs it
};

struct LiveCounts {
  std::uint64_t received = 0;
  std::uint64_t dropped = 0;            // for want of room in the ring
  std::uint64_t interface_dropped = 0;  // by the interface or its driver
};

class LiveCapture {
 public:
  // The error is a sentence that says what to do.
  static std::expected<LiveCapture, std::string> open(const LiveOptions& options);
  ~LiveCapture();
  LiveCapture(LiveCapture&&) noexcept;
  LiveCapture& operator=(LiveCapture&&) noexcept;

  // Readable when there may be frames.
  int descriptor() const;
  // Gives all frames that are there, at most a few thousand. The error: the interface is gone.
  std::expected<void, std::string> read(const std::function<void(const Frame&)>& frame);
  LiveCounts counts() const;

 private:
  struct Handle;
  explicit LiveCapture(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

std::vector<std::string> interface_names();

}  // namespace chancery::sensor
