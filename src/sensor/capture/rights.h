#pragma once
// Gives up every right once the sockets are open: another user, no groups, no capabilities in any set, and none to be
// had by starting another program. What is left is read back from the kernel, and anything too much is an error.
#include <cstdint>
#include <expected>
#include <string>

namespace chancery::sensor {

struct Rights {
  std::uint32_t user = 0, effective_user = 0;
  std::uint64_t effective = 0, permitted = 0, inheritable = 0, bounding = 0, ambient = 0;  // sets of capabilities
  bool no_new_privileges = false;
};

// Of the calling thread, from /proc. The error is a sentence.
std::expected<Rights, std::string> read_rights();

// `user` is who to become when the process is root's; else it stays who it is. To be called while there is one thread.
std::expected<Rights, std::string> drop_rights(const std::string& user);

}  // namespace chancery::sensor
