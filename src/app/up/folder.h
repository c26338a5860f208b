#pragma once
// The folder of `chancery up`: where everything lies, and the few file operations that filling it needs. Errors are
// app::Failure with a sentence that names the path.
#include <filesystem>
#include <string>
#include <string_view>

namespace chancery::app::up {

struct Folder {
  explicit Folder(std::filesystem::path top);

  std::filesystem::path top;
  std::filesystem::path archive;         // archive/, with archive.index, archive.keys, archive.state beside it
  std::filesystem::path gateway_config;  // gateway.yaml: what `chancery gateway -c` is given
  std::filesystem::path policy;          // policy.yaml
  std::filesystem::path people;          // people.txt: "name password" lines, mode 0600
  std::filesystem::path ports;           // ports.txt: "name port" lines
  std::filesystem::path signer_key;
  std::filesystem::path signer_public;  // what an auditor is given: hexadecimal, one line
  std::filesystem::path tls;            // ca.pem and the certificates
  std::filesystem::path logs;           // what the children print
  std::filesystem::path prosody;
  std::filesystem::path irc;
  std::filesystem::path sample_done;  // exists once the sample conversation was had
};

void make_folder(const std::filesystem::path& path, std::filesystem::perms mode);
// Written beside and renamed, so that a half-written file never stays.
void write_file(const std::filesystem::path& path, std::string_view text, std::filesystem::perms mode);
std::string read_file(const std::filesystem::path& path);  // whole; "" when it is not there

// Gives `path` and what is in it to a system user, when this process may (root). No such user: Failure.
void give_to(const std::filesystem::path& path, const std::string& user);

// Whether any user can walk down to `path` (every folder above it is searchable by others).
bool reachable_by_others(const std::filesystem::path& path);

// Whether a program of that name is on PATH or in the system's sbin folders; its path, or "".
std::string find_program(std::string_view name);

inline constexpr auto kPrivateFile = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
inline constexpr auto kPublicFile =
    kPrivateFile | std::filesystem::perms::group_read | std::filesystem::perms::others_read;
inline constexpr auto kPrivateFolder = std::filesystem::perms::owner_all;
inline constexpr auto kPublicFolder = kPrivateFolder | std::filesystem::perms::group_read |
                                      std::filesystem::perms::group_exec | std::filesystem::perms::others_read |
                                      std::filesystem::perms::others_exec;

}  // namespace chancery::app::up
