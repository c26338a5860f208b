#pragma once
// What a bundle shows, for a person and as JSON.
#include <string>

#include "archive/verify/report.h"
#include "core/json.h"

namespace chancery::verify {

std::string text_of(const BundleReport& bundle);
void put(JsonWriter& json, const BundleReport& bundle);  // the member "bundle"
// One sentence, when nothing is wrong. `is_anchored`: somebody from outside vouches for its checkpoint.
std::string verdict_of(const BundleReport& bundle, bool is_anchored);

}  // namespace chancery::verify
