#pragma once
// Captures of conversations as real programs have them, made for tests: each with what must be read of it.
#include <string>
#include <vector>

#include "sensor/testing/packet_writer.h"

namespace chancery::sensor::testing {

struct Sample {
  std::string name;
  std::vector<OwnFrame> frames;
  std::vector<std::string> messages;      // "from>to: text", one for each leg; " =N" names the first leg
  std::vector<std::string> applications;  // named, whatever else is
};

std::vector<Sample> samples();

}  // namespace chancery::sensor::testing
