#pragma once
// Every protocol this build knows. Adding one is one line in registry.cc.
#include <span>
#include <string_view>

#include "codec/codec.h"

namespace chancery {

std::span<const Protocol* const> protocols();          // read by the sensor
std::span<const Protocol* const> gateway_protocols();  // those of them that a gateway can stand in the middle of
const Protocol* find_protocol(std::string_view name);  // null: unknown

}  // namespace chancery
