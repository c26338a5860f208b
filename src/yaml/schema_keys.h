#pragma once
// For tests: a JSON Schema and a loader must know the same keys at the same places.
#include <string>
#include <string_view>

#include "yaml/yaml.h"

namespace chancery::yaml {

// The properties of each object of a schema that is written without references: "" is the root, "listeners[]" an item.
// Only objects with `properties` count. Throws Error for what is not JSON.
KnownKeys keys_of_schema(std::string_view json);

}  // namespace chancery::yaml
