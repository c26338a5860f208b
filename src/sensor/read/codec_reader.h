#pragma once
// Drives a protocol's own codec over a flow that is only watched.
#include <memory>

#include "sensor/read/reading.h"

namespace chancery::sensor {

// An error that a codec reports ends that side for a gateway; here the side goes on as after a gap, at most this often.
inline constexpr int kResumptionsMax = 16;

std::unique_ptr<FlowReader> make_codec_reader(Reading& reading, const FlowView& flow, const Protocol& protocol);

}  // namespace chancery::sensor
