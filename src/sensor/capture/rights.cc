#include "sensor/capture/rights.h"

#include <algorithm>
#include <cap-ng.h>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <pwd.h>
#include <sys/prctl.h>
#include <system_error>
#include <unistd.h>

namespace chancery::sensor {
namespace {

std::string value_of(const std::string& line) {
  const auto begin = line.find_first_not_of(" \t", line.find(':') + 1);
  return begin == std::string::npos ? "" : line.substr(begin);
}

bool is_zero(const std::string& hexadecimal) {
  return !hexadecimal.empty() && std::ranges::all_of(hexadecimal, [](char c) { return c == '0'; });
}

}  // namespace

std::expected<void, std::string> drop_rights(const std::string& user) {
  capng_clear(CAPNG_SELECT_ALL);
  if (::geteuid() == 0) {
    const passwd* entry = ::getpwnam(user.c_str());
    if (entry == nullptr)
      return std::unexpected(fmt::format("there is no user '{}' to run as; name one that has no rights", user));
    if (entry->pw_uid == 0) return std::unexpected(fmt::format("'{}' is root: name a user that has no rights", user));
    if (const int code = capng_change_id(static_cast<int>(entry->pw_uid), static_cast<int>(entry->pw_gid),
                                         static_cast<capng_flags_t>(CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING));
        code != 0)
      return std::unexpected(fmt::format("becoming the user {} failed (libcap-ng {})", user, code));
  }
  // Where the right to clear the bounding set is missing, it holds nothing that could be used without no_new_privs.
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return std::unexpected(std::string{"the capabilities cannot be cleared"});
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return std::unexpected(fmt::format("no_new_privs cannot be set: {}", std::generic_category().message(errno)));
  if (!read_rights().none()) return std::unexpected(std::string{"rights are left that should have been dropped"});
  return {};
}

bool Rights::none() const {
  return user != 0 && is_zero(effective) && is_zero(permitted) && is_zero(inheritable) && is_zero(ambient) &&
         no_new_privileges;
}

Rights read_rights() {
  Rights rights;
  rights.user = ::geteuid();
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapEff:")) rights.effective = value_of(line);
    if (line.starts_with("CapPrm:")) rights.permitted = value_of(line);
    if (line.starts_with("CapInh:")) rights.inheritable = value_of(line);
    if (line.starts_with("CapBnd:")) rights.bounding = value_of(line);
    if (line.starts_with("CapAmb:")) rights.ambient = value_of(line);
    if (line.starts_with("NoNewPrivs:")) rights.no_new_privileges = value_of(line) == "1";
  }
  return rights;
}

}  // namespace chancery::sensor
