#pragma once
// Capture files as commands read them: opened together, read one after the other, with progress.
#include <string>
#include <vector>

#include "app/context.h"
#include "sensor/capture/capture_file.h"
#include "sensor/sensor.h"

namespace chancery::app {

// All are opened before the first is read: a name mistyped shows at once. Throws Failure.
std::vector<sensor::CaptureFile> open_captures(const std::vector<std::string>& paths);

// To the end, or to where a file is damaged, which is said and counted. Does not call sensor.finish().
void read_captures(const Context& context, const std::vector<std::string>& paths,
                   std::vector<sensor::CaptureFile>& files, sensor::Sensor& sensor);

// For flow tables: what no sender of packets can know.
std::uint64_t random_seed();

}  // namespace chancery::app
