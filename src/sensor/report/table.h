#pragma once
// The answer of `chancery detect` on a terminal.
#include <string>

#include "sensor/report/summary.h"

namespace chancery::sensor {

std::string to_table(const Summary& summary);

}  // namespace chancery::sensor
