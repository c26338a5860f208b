#include "sensor/capture/rights.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace chancery::sensor {
namespace {

constexpr int kCapabilitiesMax = 64;

std::unexpected<std::string> failed(std::string_view what) {
  return std::unexpected(
      fmt::format("Rights could not be dropped: {}: {}.", what, std::generic_category().message(errno)));
}

std::expected<void, std::string> become(const std::string& user) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr)
    return std::unexpected(fmt::format("There is no user {}: name one with --user that owns nothing.", user));
  if (entry->pw_uid == 0)
    return std::unexpected(std::string{"--user must not be root: the sensor runs without rights."});
  const uid_t uid = entry->pw_uid;
  const gid_t gid = entry->pw_gid;
  // While there still is the right to do so: nothing that is started later can have a capability again.
  for (int capability = 0; capability < kCapabilitiesMax; ++capability)
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno == EINVAL) break;
  if (::setgroups(0, nullptr) != 0) return failed("setgroups");
  if (::setresgid(gid, gid, gid) != 0) return failed("setresgid");
  if (::setresuid(uid, uid, uid) != 0) return failed("setresuid");
  return {};
}

}  // namespace

std::expected<Rights, std::string> read_rights() {
  std::ifstream status{"/proc/thread-self/status"};
  if (!status) return std::unexpected(std::string{"/proc/thread-self/status cannot be read."});
  Rights rights;
  for (std::string line; std::getline(status, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon == line.npos) continue;
    const std::string_view key = std::string_view{line}.substr(0, colon),
                           value = std::string_view{line}.substr(colon + 2);
    const auto number = [&](int base) {
      std::uint64_t parsed = 0;
      std::from_chars(value.data(), value.data() + value.size(), parsed, base);
      return parsed;
    };
    if (key == "Uid") {
      rights.user = static_cast<std::uint32_t>(number(10));
      const std::size_t tab = value.find('\t') + 1;
      std::from_chars(value.data() + tab, value.data() + value.size(), rights.effective_user);
    }
    if (key == "CapEff") rights.effective = number(16);
    if (key == "CapPrm") rights.permitted = number(16);
    if (key == "CapInh") rights.inheritable = number(16);
    if (key == "CapBnd") rights.bounding = number(16);
    if (key == "CapAmb") rights.ambient = number(16);
    if (key == "NoNewPrivs") rights.no_new_privileges = number(10) != 0;
  }
  return rights;
}

std::expected<Rights, std::string> drop_rights(const std::string& user) {
  if (::geteuid() == 0)
    if (const auto done = become(user); !done) return std::unexpected(done.error());
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return failed("ambient capabilities");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  if (::syscall(SYS_capset, &header, none.data()) != 0) return failed("capset");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs");
  auto rights = read_rights();
  if (!rights) return rights;
  if ((rights->effective | rights->permitted | rights->inheritable | rights->ambient) != 0 ||
      !rights->no_new_privileges || rights->effective_user == 0)
    return std::unexpected(
        std::string{"Rights could not be dropped: the kernel still shows some in /proc/self/status."});
  return rights;
}

}  // namespace chancery::sensor
