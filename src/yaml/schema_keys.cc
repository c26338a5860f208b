#include "yaml/schema_keys.h"

namespace chancery::yaml {
namespace {

void collect(const Value& schema, const std::string& place, KnownKeys& keys) {
  if (!schema.is_map()) return;
  for (const auto& [word, value] : schema.entries()) {
    if (word == "items") collect(value, place + "[]", keys);
    if (word != "properties") continue;
    for (const auto& [key, inner] : value.entries()) {
      keys[place].insert(key);
      collect(inner, place.empty() ? key : place + "." + key, keys);
    }
  }
}

}  // namespace

KnownKeys keys_of_schema(std::string_view json) {
  KnownKeys keys;
  collect(Value::parse(json, "schema"), "", keys);  // JSON is YAML
  return keys;
}

}  // namespace chancery::yaml
