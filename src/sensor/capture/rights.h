#pragma once
// Giving up every right that opening needed (capabilities(7)). What reads untrusted packets runs with none.
#include <expected>
#include <string>

namespace chancery::sensor {

// As root: becomes `user` with its groups. In any case: all capabilities of all sets are cleared, and no program started
// from here can gain any (no_new_privs). All threads of the process must not have been started yet. The error is a
// sentence; then the process must end.
std::expected<void, std::string> drop_rights(const std::string& user);

// What the kernel says of this process, for status and tests.
struct Rights {
  unsigned user = 0;
  std::string effective, permitted, inheritable, bounding, ambient;  // hexadecimal, as /proc/self/status has them
  bool no_new_privileges = false;

  bool none() const;  // not root, no capability in any set that counts, and none to be gained
};
Rights read_rights();

}  // namespace chancery::sensor
