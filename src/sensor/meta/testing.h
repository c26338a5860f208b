#pragma once
// For tests: octets written as hex in testdata, and the rule that a parser only ever says "more" to a begin of what it
// accepts.
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>

#include "core/encoding.h"
#include "sensor/meta/tls.h"

namespace chancery::sensor {

// Blocks are parted by an empty line.
inline Buffer read_hex(const std::string& path, int block = 0) {
  std::ifstream file(path);
  std::string line, hex;
  while (std::getline(file, line)) {
    if (line.empty()) {
      if (block-- == 0) break;
      hex.clear();
    } else {
      hex += line;
    }
  }
  const auto octets = from_hex(hex);
  EXPECT_TRUE(octets.has_value() && !octets->empty()) << path;
  return octets.value_or(Buffer{});
}

template <class Parse>
void expect_more_for_each_begin(Bytes whole, Parse parse) {
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_EQ(parse(whole.substr(0, size)), Parsed::need_more) << size << " of " << whole.size();
  EXPECT_EQ(parse(whole), Parsed::yes);
}

}  // namespace chancery::sensor
