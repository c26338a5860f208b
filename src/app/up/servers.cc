#include "app/up/servers.h"

#include <fmt/format.h>
#include <unistd.h>

#include "app/context.h"

namespace chancery::app::up {
namespace fs = std::filesystem;
namespace {

constexpr auto kPatience = std::chrono::seconds{30};

constexpr const char* kProsodyConfig = R"(-- Written by `chancery up` at each start; changes here are lost.
{run_as_root}pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
interfaces = {{ "127.0.0.1" }}
local_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
modules_enabled = {{ "roster"; "saslauth"; "tls"; "disco"; "carbons"; "mam"; "smacks"; "ping"; "offline"; "pep"; "blocklist"; "vcard_legacy" }}
modules_disabled = {{ "s2s" }}
authentication = "internal_hashed"
storage = "internal"
c2s_require_encryption = true
ssl = {{ certificate = "{folder}/prosody.pem"; key = "{folder}/prosody.key" }}
VirtualHost "{domain}"
Component "conference.{domain}" "muc"
  modules_enabled = {{ "muc_mam" }}
  muc_room_locking = false
)";

constexpr const char* kNgircdConfig = R"(# Written by `chancery up` at each start; changes here are lost.
[Global]
Name = irc.{domain}
Info = Behind Chancery
Listen = 127.0.0.1
MotdPhrase = This conversation is recorded.
[Limits]
MaxConnectionsIP = 0
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {folder}/ngircd.pem
KeyFile = {folder}/ngircd.key
Ports = {port}
)";

// Prosody wants a user of its own. As root we become that user, unless the folder lies where nobody else can reach it.
struct Identity {
  std::vector<std::string> prefix;  // of every prosody command
  bool as_root = false;
};

Identity prosody_identity(const Folder& folder) {
  if (::geteuid() != 0) return {};
  if (!reachable_by_others(folder.top)) return {.prefix = {}, .as_root = true};
  // setpriv drops our parent-death signal with the user, so it is told to set it again.
  return {
      .prefix = {find_program("setpriv"), "--reuid=prosody", "--regid=prosody", "--clear-groups", "--pdeathsig=TERM"},
      .as_root = false};
}

void copy_certificate(const Folder& folder, const std::string& name, const fs::path& to) {
  write_file(to / (name + ".pem"), read_file(folder.tls / (name + ".pem")), kPublicFile);
  write_file(to / (name + ".key"), read_file(folder.tls / (name + ".key")), kPrivateFile);
}

std::vector<std::string> command(const Identity& identity, const std::string& program,
                                 std::vector<std::string> arguments) {
  std::vector<std::string> argv = identity.prefix;
  argv.push_back(find_program(program));
  if (argv.back().empty()) throw Failure(program + " is not installed; on Debian: apt-get install prosody");
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

// An account is a file of Prosody's internal store, which hashes the password at the first sign-in. `prosodyctl
// register` would take it as an argument, and arguments are public.
void register_people(const fs::path& data, const std::vector<Person>& people) {
  const fs::path accounts = data / kDomain / "accounts";
  make_folder(accounts, kPrivateFolder);
  for (const auto& person : people) {
    const fs::path file = accounts / (person.name + ".dat");
    if (!fs::exists(file))
      write_file(file, fmt::format("return {{\n\t[\"password\"] = \"{}\";\n}};\n", person.password), kPrivateFile);
  }
}

}  // namespace

std::unique_ptr<Child> start_prosody(const Folder& folder, std::uint16_t port, const std::vector<Person>& people) {
  const Identity identity = prosody_identity(folder);
  make_folder(folder.prosody, kPrivateFolder);
  register_people(folder.prosody / "data", people);
  copy_certificate(folder, "prosody", folder.prosody);
  const fs::path config = folder.prosody / "prosody.cfg.lua";
  write_file(
      config,
      fmt::format(fmt::runtime(kProsodyConfig), fmt::arg("folder", folder.prosody.string()), fmt::arg("port", port),
                  fmt::arg("domain", kDomain), fmt::arg("run_as_root", identity.as_root ? "run_as_root = true\n" : "")),
      kPrivateFile);
  if (!identity.prefix.empty()) give_to(folder.prosody, "prosody");
  auto child = std::make_unique<Child>("Prosody", command(identity, "prosody", {"-F", "--config", config.string()}),
                                       folder.logs / "prosody.log");
  await_answer(*child, port, kPatience);
  return child;
}

std::unique_ptr<Child> start_ngircd(const Folder& folder, std::uint16_t port) {
  const std::string program = find_program("ngircd");
  if (program.empty()) return nullptr;
  make_folder(folder.irc, kPublicFolder);
  copy_certificate(folder, "ngircd", folder.irc);
  const fs::path config = folder.irc / "ngircd.conf";
  write_file(config,
             fmt::format(fmt::runtime(kNgircdConfig), fmt::arg("folder", folder.irc.string()), fmt::arg("port", port),
                         fmt::arg("domain", kDomain)),
             kPublicFile);
  auto child = std::make_unique<Child>("ngircd", std::vector<std::string>{program, "-n", "-f", config.string()},
                                       folder.logs / "ngircd.log");
  await_answer(*child, port, kPatience);
  return child;
}

}  // namespace chancery::app::up
