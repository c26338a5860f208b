// chancery signer: the process that alone holds the checkpoint key.
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/signalfd.h>

#include "app/command.h"
#include "app/commands.h"
#include "archive/seal/key_file.h"
#include "archive/seal/signer_process.h"
#include "core/encoding.h"
#include "core/json.h"

namespace chancery::app {
namespace {

struct Given {
  std::string key, state, socket, origin_prefix, passphrase_file;
  int fd = -1;
};

std::optional<Buffer> passphrase_of(const Given& given) {
  if (given.passphrase_file.empty()) return std::nullopt;
  std::ifstream in{given.passphrase_file};
  Buffer line;
  if (!std::getline(in, line)) throw Failure{fmt::format("{}: cannot be read", given.passphrase_file)};
  return line;
}

Exit run_signer(const Given& given) {
  if (given.socket.empty() == (given.fd < 0)) throw Failure{"give --socket PATH, or --fd NUMBER, and not both"};
  auto keys = seal::load_private_keys(given.key, passphrase_of(given));
  if (!keys) throw Failure{keys.error()};
  auto service =
      seal::SignerService::open(seal::SignerCore{std::move(*keys), given.origin_prefix}, journal::posix_disk(),
                                given.state, [] { return std::chrono::system_clock::now(); });
  if (!service) throw Failure{service.error()};
  if (given.fd >= 0) {
    std::signal(SIGINT, SIG_IGN);  // a Ctrl-C meant for the gateway must not end its signer before it
    seal::serve_connection(*service, given.fd);
    return Exit::ok;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const seal::Descriptor stop{::signalfd(-1, &signals, SFD_CLOEXEC)};
  seal::serve_unix(*service, given.socket, stop.get());
  return Exit::ok;
}

Exit create_key(const Context& context, const Given& given) {
  const auto key = seal::create_private_key(given.key, passphrase_of(given));
  if (!key) throw Failure{key.error()};
  const std::string text = to_hex(merkle::bytes_of_key(key->public_key()));
  if (context.json) {
    std::string json;
    JsonWriter{json}.begin_object().member("file", given.key).member("public_key", text).end_object();
    context.out << json << '\n';
  } else {
    context.out << text << '\n';
  }
  return Exit::ok;
}

}  // namespace

void add_signer(CLI::App& root, Context& context) {
  CLI::App* group =
      add_group(root, context, "signer", "Hold the checkpoint key and sign tree heads, nothing else",
                "  chancery signer create --key /etc/chancery/signer.key > signer.pub\n"
                "  chancery signer run --key signer.key --state signer.state --socket /run/chancery/signer");
  auto given = std::make_shared<Given>();
  CLI::App* run =
      add_command(*group, context, "run", "Sign for a gateway over a unix socket",
                  "  chancery signer run --key signer.pem --state signer.state --socket /run/chancery/signer\n"
                  "The state file remembers what was signed last; keep it off the archive's disk.");
  run->add_option("--key", given->key, "Private key (mode 0600); FILE.next beside it is the one to come")->required();
  run->add_option("--state", given->state, "File that remembers what was signed last")->required();
  run->add_option("--socket", given->socket, "Unix socket to listen on (mode 0600)");
  run->add_option("--fd", given->fd, "Connected socket inherited from the gateway");
  run->add_option("--origin-prefix", given->origin_prefix,
                  "Sign only for logs whose origin begins so (\"site/node/\")");
  run->add_option("--passphrase-file", given->passphrase_file, "File whose first line opens the key");
  on_run(*run, context, [given] { return run_signer(*given); });

  CLI::App* create =
      add_command(*group, context, "create", "Make a new key and print its public half",
                  "  chancery signer create --key signer.pem > log.pub\n"
                  "Give the printed key to whoever will verify: `chancery verify ARCHIVE --key log.pub`.");
  create->add_option("--key", given->key, "File to write; refuses to overwrite")->required();
  create->add_option("--passphrase-file", given->passphrase_file, "File whose first line is to protect the key");
  on_run(*create, context, [&context, given] { return create_key(context, *given); });
}

}  // namespace chancery::app
