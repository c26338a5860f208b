#include "app/up/folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <pwd.h>
#include <sstream>
#include <unistd.h>

#include "app/context.h"

namespace chancery::app::up {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path, std::string_view what, std::string_view why) {
  throw Failure("cannot " + std::string{what} + " " + path.string() + ": " + std::string{why});
}

}  // namespace

Folder::Folder(fs::path folder)
    : top(fs::absolute(folder).lexically_normal()),
      archive(top / "archive"),
      gateway_config(top / "gateway.yaml"),
      policy(top / "policy.yaml"),
      people(top / "people.txt"),
      ports(top / "ports.txt"),
      signer_key(top / "signer.key"),
      signer_public(top / "signer.pub"),
      tls(top / "tls"),
      logs(top / "logs"),
      prosody(top / "prosody"),
      irc(top / "ngircd"),
      sample_done(top / "sample.done") {}

void make_folder(const fs::path& path, fs::perms mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, mode, error);
  if (error) fail(path, "make the folder", error.message());
}

void write_file(const fs::path& path, std::string_view text, fs::perms mode) {
  const fs::path fresh = path.string() + ".new";
  std::error_code error;
  fs::remove(fresh, error);
  {
    std::ofstream file{fresh, std::ios::binary};
    fs::permissions(fresh, mode, error);  // before anything secret is in it
    file << text;
    file.flush();
    if (!file || error) fail(path, "write", error ? error.message() : std::strerror(errno));
  }
  fs::rename(fresh, path, error);
  if (error) fail(path, "write", error.message());
}

std::string read_file(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void give_to(const fs::path& path, const std::string& user) {
  if (::geteuid() != 0) return;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr) throw Failure("the system has no user " + user + ": is its package installed?");
  const auto change = [&](const fs::path& one) {
    if (::lchown(one.c_str(), entry->pw_uid, entry->pw_gid) != 0) fail(one, "give away", std::strerror(errno));
  };
  change(path);
  if (!fs::is_directory(path)) return;
  for (const auto& inner : fs::recursive_directory_iterator(path)) change(inner.path());
}

bool reachable_by_others(const fs::path& path) {
  std::error_code error;
  for (fs::path at = path; at.has_relative_path(); at = at.parent_path()) {
    const auto mode = fs::status(at, error).permissions();
    if (error || (mode & fs::perms::others_exec) == fs::perms::none) return false;
  }
  return true;
}

std::string find_program(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders{std::string{path != nullptr ? path : ""} + ":/usr/sbin:/usr/bin:/sbin:/bin"};
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path candidate = fs::path{folder} / name;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return "";
}

}  // namespace chancery::app::up
