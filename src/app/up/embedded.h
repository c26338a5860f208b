#pragma once
// Files of this folder that travel inside the program; embedded.cc is made from them by CMake.
#include <string_view>

namespace chancery::app::up {

extern const std::string_view kSampleScript;  // sample.py
extern const std::string_view kSamplePolicy;  // sample_policy.yaml

}  // namespace chancery::app::up
