#pragma once
#include <cstdint>

#include "core/bytes.h"
#include "core/time.h"

namespace chancery::sensor {

// One captured frame, a view that the next read of the same source ends.
struct Frame {
  Bytes octets;                   // as captured: perhaps cut at the snap length
  std::uint32_t wire_length = 0;  // as it was on the wire; never less than octets.size()
  std::uint32_t link_type = 0;    // LINKTYPE_… of the capture formats
  Instant time;
};

}  // namespace chancery::sensor
