#pragma once
// Those who look on while flows pass, beside the summary: the collector of what could be blocked, the stopper.
#include <string_view>

#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

namespace chancery::sensor {

class FlowWatcher {
 public:
  virtual ~FlowWatcher() = default;
  // After the packet was counted. `flow` stays at its place until `ended`.
  virtual void packet(const Flow& /*flow*/, const Packet& /*packet*/, Side /*from*/) {}
  // The packet that decided it was given to `packet` just before, if there was one.
  virtual void named(const Flow& /*flow*/, const Named& /*named*/, bool /*managed*/) {}
  virtual void ended(const Flow& /*flow*/, std::string_view /*application*/, Category /*category*/, bool /*managed*/) {}
};

}  // namespace chancery::sensor
