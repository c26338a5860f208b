// chancery witness: a second site that sees each checkpoint of other people's logs, and says so.
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include "app/command.h"
#include "app/commands.h"
#include "archive/seal/key_file.h"
#include "archive/witness/witness_http.h"
#include "core/encoding.h"
#include "core/json.h"
#include "merkle/decimal.h"

namespace chancery::app {
namespace {

namespace fs = std::filesystem;

struct Given {
  std::string dir, name, listen = "127.0.0.1:8480", metrics, key, url, ca, log;
};

Buffer read_line(const fs::path& file) {
  std::ifstream in{file};
  Buffer line;
  if (!std::getline(in, line)) throw Failure{fmt::format("{}: cannot be read", file.string())};
  return line;
}

std::string logs_of(const Given& given) { return (fs::path{given.dir} / "logs").string(); }

void check_folder(const Given& given) {
  if (given.dir.empty()) throw Failure{"give --dir with the witness's folder, or --url to ask one over HTTP"};
  if (std::error_code error; !fs::exists(fs::path{given.dir} / "witness.vkey", error))
    throw Failure{fmt::format("{0} is no witness's folder; `chancery witness create --dir {0} --name NAME` makes one",
                              given.dir)};
}

// The folder holds key.pem (0600), witness.vkey, and logs/.
witness::WitnessService open_witness(const Given& given) {
  check_folder(given);
  const auto vkey = merkle::VerifierKey::parse(read_line(fs::path{given.dir} / "witness.vkey"));
  auto key = seal::load_private_key(fs::path{given.dir} / "key.pem");
  if (!key) throw Failure{key.error()};
  if (!vkey || vkey->key != key->public_key())
    throw Failure{fmt::format("{}/witness.vkey: not the verifier key of key.pem", given.dir)};
  auto service = witness::WitnessService::open(journal::posix_disk(), logs_of(given),
                                               {vkey->name, merkle::KeyType::cosignature, std::move(*key)},
                                               [] { return std::chrono::system_clock::now(); });
  if (!service) throw Failure{service.error()};
  return std::move(*service);
}

void print(const Context& context, const char* name, const std::string& value) {
  if (!context.json) {
    context.out << value << '\n';
    return;
  }
  std::string json;
  JsonWriter{json}.begin_object().member(name, value).end_object();
  context.out << json << '\n';
}

Exit create(const Context& context, const Given& given) {
  if (!merkle::is_key_name(given.name))
    throw Failure{
        fmt::format("--name {}: a key name has no spaces and no '+'; a host and path you own is best", given.name)};
  const fs::path dir = given.dir;
  fs::create_directories(dir / "logs");
  fs::permissions(dir, fs::perms::owner_all);
  const auto key = seal::create_private_key(dir / "key.pem");
  if (!key) throw Failure{key.error()};
  const std::string vkey = merkle::VerifierKey{given.name, merkle::KeyType::cosignature, key->public_key()}.vkey();
  if (const auto error =
          journal::write_file_durably(journal::posix_disk(), (dir / "witness.vkey").string(), vkey + "\n"))
    throw Failure{fmt::format("{}: {}", dir.string(), error.message())};
  print(context, "vkey", vkey);
  return Exit::ok;
}

// Every line of a log.vkey: a log whose key was changed has several.
std::vector<merkle::VerifierKey> read_log_keys(const std::string& given) {
  std::string text = given + "\n";
  if (fs::is_regular_file(given)) {
    std::ifstream in{given, std::ios::binary};
    std::stringstream octets;
    octets << in.rdbuf();
    text = octets.str();
  }
  std::vector<merkle::VerifierKey> keys;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto key = merkle::VerifierKey::parse(line);
    if (!key)
      throw Failure{fs::is_regular_file(given)
                        ? fmt::format("{}: not a log's verifier key; its archive has it in log.vkey", given)
                        : fmt::format("there is no file {0}, and taken by itself it is no log's verifier key", given)};
    keys.push_back(*key);
  }
  if (keys.empty()) throw Failure{fmt::format("{} is empty", given)};
  return keys;
}

Exit add_log(const Context& context, const Given& given) {
  check_folder(given);
  const auto keys = read_log_keys(given.key);
  const std::string logs = logs_of(given);
  const auto lock = journal::posix_disk().lock(logs);
  if (!lock && lock.error() != std::errc::resource_unavailable_try_again)
    throw Failure{fmt::format("{}: {}", logs, lock.error().message())};
  if (lock) {
    auto service = open_witness(given);
    for (const auto& key : keys)
      if (const auto done = service.watch(key); !done) throw Failure{done.error()};
  } else if (const auto left = witness::WitnessService::leave(
                 journal::posix_disk(), logs, fmt::format("{}-{}", ::getpid(), keys.front().id()), keys);
             !left) {
    throw Failure{left.error()};
  }
  print(context, "log", keys.front().name);
  if (!lock) context.err << "The running witness takes it up when that log next asks, or on SIGHUP.\n";
  return Exit::ok;
}

// From the witness's HTTP interface: the checkpoint it holds, to give to `chancery verify --since`.
Exit fetch(const Context& context, const Given& given) {
  auto url = witness::Url::parse(given.url);
  if (!url || given.log.empty()) throw Failure{"give --url http://HOST:PORT (or https) and --log ORIGIN"};
  url->ca = given.ca;
  const std::string path = fmt::format("/{}/checkpoint", to_hex(bytes_of(merkle::sha256(given.log))));
  const auto response = witness::exchange(*url, false, path, "", std::chrono::seconds{10});
  if (!response) throw Failure{fmt::format("{}: {}", given.url, response.error())};
  if (response->status != 200)
    throw Failure{fmt::format("{}, asked for {}, answered {}", given.url, given.log, in_words(*response))};
  if (context.json)
    print(context, "checkpoint", response->body);
  else
    context.out << response->body;
  return Exit::ok;
}

Exit show(const Context& context, const Given& given) {
  if (!given.url.empty()) return fetch(context, given);
  const auto service = open_witness(given);
  if (!given.log.empty()) {
    const auto found = service.logs().find(given.log);
    if (found == service.logs().end()) throw Failure{fmt::format("{}: this log is not watched", given.log)};
    context.out << found->second.checkpoint;
    return Exit::ok;
  }
  std::string json;
  JsonWriter writer{json};
  writer.begin_object().member("vkey", service.key().vkey()).key("logs").begin_array();
  if (!context.json) context.out << "witness " << service.key().vkey() << '\n';
  for (const auto& [origin, log] : service.logs()) {
    const std::uint64_t size = log.last ? log.last->size : 0;
    writer.begin_object().member("log", origin).member("size", size).end_object();
    if (!context.json) context.out << fmt::format("{}: {} records cosigned\n", origin, size);
  }
  writer.end_array().end_object();
  if (context.json) context.out << json << '\n';
  return Exit::ok;
}

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

Endpoint endpoint_of(const char* option, const std::string& text) {
  const auto colon = text.rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : merkle::parse_decimal(std::string_view{text}.substr(colon + 1));
  if (!port || *port > 65535) throw Failure{fmt::format("{} {}: expected ADDRESS:PORT", option, text)};
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return {address, static_cast<std::uint16_t>(*port)};
}

Exit serve(const Context& context, const Given& given) {
  const Endpoint endpoint = endpoint_of("--listen", given.listen);
  check_folder(given);
  const auto lock = journal::posix_disk().lock(logs_of(given));
  if (!lock)
    throw Failure{lock.error() == std::errc::resource_unavailable_try_again
                      ? fmt::format("a witness is running on {} already", given.dir)
                      : fmt::format("{}: {}", logs_of(given), lock.error().message())};
  auto service = open_witness(given);
  if (const auto settled = service.settle(); !settled) throw Failure{settled.error()};
  witness::WitnessServer server{service, endpoint.address, endpoint.port};
  if (!given.metrics.empty()) {
    const Endpoint metrics = endpoint_of("--metrics", given.metrics);
    server.serve_metrics(metrics.address, metrics.port);
  }
  server.handle_signals();
  print(context, "listening", fmt::format("{}:{}", given.listen.substr(0, given.listen.rfind(':')), server.port()));
  context.out.flush();
  server.run();
  return Exit::ok;
}

}  // namespace

void add_witness(CLI::App& root, Context& context) {
  CLI::App* group = add_group(root, context, "witness", "See and cosign the checkpoints of other people's logs",
                              "  chancery witness create --dir w --name witness.example.com/1\n"
                              "  chancery witness add-log --dir w log.vkey\n"
                              "  chancery witness run --dir w --listen 127.0.0.1:8480");
  auto given = std::make_shared<Given>();
  const auto command = [&](const char* name, const char* what, const char* examples, auto action) {
    CLI::App* made = add_command(*group, context, name, what, examples);
    on_run(*made, context, [&context, given, action] { return action(context, *given); });
    return made;
  };
  CLI::App* made = command("create", "Make a witness: a folder with its key; prints the verifier key",
                           "  chancery witness create --dir w --name witness.example.com/1", create);
  made->add_option("--dir", given->dir, "Folder to make")->required();
  made->add_option("--name", given->name, "Name of the key")->required();

  made = command("add-log", "Watch a log, or another key of one; also while the witness runs",
                 "  chancery witness add-log --dir w /srv/archive/logs/demo/gateway-1/00000001-9f3ac2d1/log.vkey",
                 add_log);
  made->add_option("--dir", given->dir, "The witness's folder")->required();
  made->add_option("vkey", given->key, "The log's verifier key, or a file with it")->required();

  made = command("run", "Answer logs (C2SP tlog-witness), on loopback unless told otherwise",
                 "  chancery witness run --dir w --listen 127.0.0.1:8480 --metrics 127.0.0.1:9466\n"
                 "SIGHUP takes up logs that were added meanwhile; so does a request of such a log.",
                 serve);
  made->add_option("--dir", given->dir, "The witness's folder")->required();
  made->add_option("--listen", given->listen, "ADDRESS:PORT; port 0 takes a free one")->capture_default_str();
  made->add_option("--metrics", given->metrics, "ADDRESS:PORT for Prometheus; left out: none");

  made = command("show", "What the witness watches; with --log, the checkpoint it holds",
                 "  chancery witness show --dir w\n"
                 "  chancery witness show --url http://127.0.0.1:8480 --log demo/gateway-1/00000001-9f3ac2d1 > held\n"
                 "  chancery verify /srv/archive --since held",
                 show);
  made->add_option("--dir", given->dir, "The witness's folder");
  made->add_option("--url", given->url, "Ask a witness over HTTP or HTTPS instead");
  made->add_option("--ca", given->ca, "With an https URL: PEM bundle to trust instead of the system's");
  made->add_option("--log", given->log, "Origin of a log");
}

}  // namespace chancery::app
