#pragma once
// chancery sensor: watches an interface, tells of what is not wanted, stops it where policy says so, and keeps the
// block list fed. Everything that needs a right is opened first; then all rights are dropped.
#include "app/context.h"
#include "app/watch/sensor_config.h"

namespace chancery::app::watch {

// Until SIGTERM or SIGINT. Throws Failure when it cannot start.
Exit run_sensor(const Context& context, const SensorConfig& config);

}  // namespace chancery::app::watch
