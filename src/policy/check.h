#pragma once
// What is written well and yet cannot be meant: rules that never apply, terms that never add anything. `chancery policy
// check` prints these; none of them keeps a policy from being used.
#include <vector>

#include "policy/text.h"

namespace chancery::policy {

// Found in the order of their lines:
//   a control rule behind one that decides everything it could apply to ("unreachable"; an allow behind a refuse is
//   "shadowed"), rules that have ended, a flag or allow that changes nothing, groups that nobody uses
//   a term listed twice in a rule, or covered by a shorter one with a star; an exception that cancels nothing
//   a test that names a rule which is not there
// `now` decides which rules have ended.
std::vector<Written> lint(const Text& text, Instant now);

}  // namespace chancery::policy
