#include "app/up/up.h"

#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <vector>

#include "app/up/certificates.h"
#include "app/up/child.h"
#include "app/up/embedded.h"
#include "app/up/folder.h"
#include "app/up/follow.h"
#include "app/up/people.h"
#include "app/up/ports.h"
#include "app/up/servers.h"
#include "archive/seal/key_file.h"
#include "core/encoding.h"
#include "core/json.h"
#include "journal/file.h"
#include "journal/keystore.h"

namespace chancery::app::up {
namespace fs = std::filesystem;
namespace {

constexpr auto kPatience = std::chrono::seconds{30};
constexpr auto kSamplePatience = std::chrono::seconds{60};
constexpr int kLookInterval_ms = 250;
constexpr std::uint16_t kXmppPort = 5222, kXmppTlsPort = 5223, kIrcPort = 6697, kMetricsPort = 9464;

struct World {
  explicit World(const fs::path& path) : folder(path) {}
  Folder folder;
  std::uint16_t xmpp = 0, xmpp_tls = 0, irc = 0, metrics = 0;
  std::vector<Person> people;
  // Stopped in reverse: the gateway first, so that it can say goodbye to both sides.
  std::vector<std::unique_ptr<Child>> children;
};

// One `up` a folder. Held until the process ends.
void lock(const Folder& folder) {
  const int fd = ::open((folder.top / "up.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0)
    throw Failure("chancery up is already running on " + folder.top.string() +
                  "; stop it there (Ctrl-C), or give another --dir");
}

void create_keys(const Folder& folder) {
  const auto error = journal::KeyStore::create(journal::posix_disk(), folder.archive.string() + ".keys");
  if (error && error != journal::KeyStoreError::exists) throw Failure("cannot make the key store: " + error.message());
  if (fs::exists(folder.signer_key)) return;
  const auto key = seal::create_private_key(folder.signer_key);
  if (!key) throw Failure(key.error());
  write_file(folder.signer_public, to_hex(merkle::bytes_of_key(key->public_key())) + "\n", kPublicFile);
}

std::string listener(const std::string& name, const char* protocol, std::uint16_t port, const char* tls,
                     std::uint16_t upstream, const char* upstream_tls) {
  return fmt::format(
      "  - name: {}\n    protocol: {}\n    address: 127.0.0.1:{}\n    tls: {}\n"
      "    certificate: {{chain: tls/gateway.pem, key: tls/gateway.key}}\n"
      "    route: {{network: {}, address: \"127.0.0.1:{}\", tls: {}, ca: tls/ca.pem, server_name: {}}}\n",
      name, protocol, port, tls, protocol, upstream, upstream_tls, kDomain);
}

void write_gateway_config(const World& world, std::uint16_t prosody, std::uint16_t ngircd) {
  std::string text =
      "# Written by `chancery up` at each start; changes here are lost.\n"
      "site: sample\nnode: gateway-1\narchive: archive\nsigner: {key_file: signer.key}\npolicy: policy.yaml\nlog: "
      "json\n" +
      fmt::format("metrics: 127.0.0.1:{}\nlisteners:\n", world.metrics);
  text += listener("xmpp", "xmpp", world.xmpp, "starttls", prosody, "starttls");
  text += listener("xmpp-tls", "xmpp", world.xmpp_tls, "direct", prosody, "starttls");
  if (ngircd != 0) text += listener("irc", "irc", world.irc, "direct", ngircd, "direct");
  write_file(world.folder.gateway_config, text, kPrivateFile);
  if (!fs::exists(world.folder.policy)) write_file(world.folder.policy, kSamplePolicy, kPublicFile);
}

void prepare(World& world) {
  const Folder& folder = world.folder;
  make_folder(folder.top, kPublicFolder);
  lock(folder);
  for (const auto& inner : {folder.tls, folder.logs}) make_folder(inner, kPrivateFolder);
  world.people = sample_people(folder.people);
  make_certificates(folder.tls, {"gateway", "prosody", "ngircd"}, kDomain);
  create_keys(folder);
}

void start_all(World& world, const Context& context) {
  Ports ports{world.folder.ports};
  world.xmpp = ports.take("xmpp", kXmppPort);
  world.xmpp_tls = ports.take("xmpp-tls", kXmppTlsPort);
  world.metrics = ports.take("metrics", kMetricsPort);
  const std::uint16_t prosody = ports.take("prosody", 0);
  const std::uint16_t ngircd = find_program("ngircd").empty() ? std::uint16_t{0} : ports.take("ngircd", 0);
  if (ngircd != 0) world.irc = ports.take("irc", kIrcPort);
  ports.save();
  world.children.push_back(start_prosody(world.folder, prosody, world.people));
  if (ngircd != 0) world.children.push_back(start_ngircd(world.folder, ngircd));
  write_gateway_config(world, prosody, ngircd);
  world.children.push_back(
      std::make_unique<Child>("the gateway",
                              std::vector<std::string>{fs::read_symlink("/proc/self/exe").string(), "gateway", "-c",
                                                       world.folder.gateway_config.string()},
                              world.folder.logs / "gateway.log"));
  await_answer(*world.children.back(), world.xmpp, kPatience);
  (void)context;
}

// True when it was had now or before.
bool have_sample_conversation(const World& world, const Context& context) {
  const Folder& folder = world.folder;
  if (fs::exists(folder.sample_done)) return true;
  const std::string python = fs::exists("/usr/bin/python3") ? "/usr/bin/python3" : find_program("python3");
  const fs::path script = folder.top / "sample.py";
  if (python.empty()) {
    context.err << "No python3 here, so there is no sample conversation.\n";
    return false;
  }
  write_file(script, kSampleScript, kPublicFile);
  Child child{"the sample conversation",
              {python, script.string(), folder.people.string(), std::to_string(world.xmpp),
               (folder.tls / "ca.pem").string(), kDomain},
              folder.logs / "sample.log"};
  if (!child.wait(kSamplePatience) || !child.succeeded()) {
    context.err << "The sample conversation did not happen (python3-slixmpp is needed); see "
                << (folder.logs / "sample.log").string() << "\n";
    return false;
  }
  write_file(folder.sample_done, "", kPublicFile);
  return true;
}

std::string introduction(const World& world, const Context& context, bool sample) {
  const std::string folder = world.folder.top.string();
  const std::string& program = context.program;
  std::string text = fmt::format(
      "\nChancery is up, on this machine only, in {}\n\n"
      "Connect a client (Psi, Gajim, Dino, Pidgin …)\n"
      "  XMPP        server 127.0.0.1, port {} (STARTTLS) or {} (TLS); certificate authority {}\n",
      folder, world.xmpp, world.xmpp_tls, (world.folder.tls / "ca.pem").string());
  for (const auto& person : world.people)
    text += fmt::format("              {}@{}  password {}\n", person.name, kDomain, person.password);
  if (world.irc != 0)
    text += fmt::format("  IRC         server 127.0.0.1, port {} (TLS)\n", world.irc);
  else
    text += "  IRC         none: ngircd is not installed\n";
  text += fmt::format(
      "  Metrics     http://127.0.0.1:{}/metrics\n\n"
      "Search        {} search -d {} {}\n"
      "Export        {} export -d {} --format jsonl\n"
      "Verify        {} verify {} --key {}\n"
      "Policy        {} (kill -HUP the gateway to reload)\n\n"
      "What happens now follows, without message text; Ctrl-C stops everything.\n",
      world.metrics, program, folder, sample ? "budget" : "WORDS", program, folder, program, folder,
      world.folder.signer_public.string(), world.folder.policy.string());
  return text;
}

void print_introduction(const World& world, const Context& context, bool sample) {
  if (!context.json) {
    context.out << introduction(world, context, sample) << std::endl;
    return;
  }
  std::string json;
  JsonWriter writer{json};
  writer.begin_object()
      .member("folder", world.folder.top.string())
      .member("xmpp_port", world.xmpp)
      .member("xmpp_tls_port", world.xmpp_tls);
  if (world.irc != 0) writer.member("irc_port", world.irc);
  writer.member("metrics_port", world.metrics)
      .member("ca", (world.folder.tls / "ca.pem").string())
      .member("people", world.folder.people.string());
  writer.member("archive", world.folder.archive.string()).member("sample_conversation", sample).end_object();
  context.out << json << std::endl;
}

// SIGINT and SIGTERM as a descriptor, so that the wait below needs no handler.
int stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

Exit follow(World& world, const Context& context, Follower& follower, int signals) {
  for (;;) {
    pollfd wait{.fd = signals, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, kLookInterval_ms) > 0) return Exit::ok;
    follower.look();
    for (const auto& child : world.children) {
      if (child->running()) continue;
      context.err << "chancery: " << child->name() << " " << child->outcome()
                  << "; stopping everything. Its last words:\n"
                  << child->last_words() << '\n';
      return Exit::wrong;
    }
  }
}

void stop_all(World& world) {
  while (!world.children.empty()) {
    world.children.back()->stop(std::chrono::seconds{20});
    world.children.pop_back();
  }
}

}  // namespace

Exit run(const Context& context, const Options& options) {
  const int signals = stop_signals();
  World world{options.folder};
  prepare(world);
  if (!context.json) context.out << "Starting Prosody, the gateway and what belongs to them …" << std::endl;
  Follower follower{world.folder, context.out, options.show_text};
  start_all(world, context);
  const bool sample = options.sample && have_sample_conversation(world, context);
  print_introduction(world, context, sample);
  const Exit exit = options.follow ? follow(world, context, follower, signals) : Exit::ok;
  if (!context.json) context.out << "\nStopping …" << std::endl;
  stop_all(world);
  if (!context.json) context.out << "Stopped. Everything is kept in " << world.folder.top.string() << std::endl;
  return exit;
}

}  // namespace chancery::app::up
