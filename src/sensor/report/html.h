#pragma once
// The answer of `chancery detect` as one HTML file to hand on: no script, nothing fetched from elsewhere, plots as SVG.
// Names from the wire are escaped.
#include <string>

#include "sensor/report/summary.h"

namespace chancery::sensor {

std::string to_html(const Summary& summary);

}  // namespace chancery::sensor
