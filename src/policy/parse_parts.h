#pragma once
// Inside the module: what the readers of a policy's parts share.
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "policy/text.h"

namespace chancery::policy {

inline constexpr std::array<std::string_view, 8> kWhenKeys = {"direction", "from",      "to",       "between",
                                                              "rooms",     "protocols", "networks", "until"};

template <std::size_t N>
constexpr std::array<std::string_view, N + kWhenKeys.size()> keys_with_when(const std::string_view (&own)[N]) {
  std::array<std::string_view, N + kWhenKeys.size()> keys;
  for (std::size_t i = 0; i < N; ++i) keys[i] = own[i];
  for (std::size_t i = 0; i < kWhenKeys.size(); ++i) keys[N + i] = kWhenKeys[i];
  return keys;
}

std::vector<Written> read_written(const yaml::Value& value);  // a list, or one value
When read_when(const yaml::Map& map);
TestCase read_test(const yaml::Value& value);

}  // namespace chancery::policy
