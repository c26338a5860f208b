#pragma once
// nDPI (libndpi 4.2, LGPL-3, linked dynamically) as one more witness: it proposes, the decider decides. This is its
// only adapter. What it guesses from a port or an address alone is never passed on, nor what our captures show it to
// be wrong about (docs/guide/sensor-classification.md).
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sensor/classify/classifier.h"

namespace chancery::sensor {

struct Proposal {
  std::string application;
  Category category = Category::other;
};

// One detection module serves one thread.
class Ndpi {
 public:
  // Its state for one flow: about 1.5 KB, and what its dissectors add.
  class Flow {
   public:
    virtual ~Flow() = default;
  };

  static std::unique_ptr<Ndpi> open();  // null: the library would not start
  virtual ~Ndpi() = default;

  virtual std::unique_ptr<Flow> flow() = 0;
  // `ip_packet` begins with its IPv4 or IPv6 header.
  virtual std::optional<Proposal> packet(Flow& flow, Bytes ip_packet, Instant now) = 0;
};

}  // namespace chancery::sensor
