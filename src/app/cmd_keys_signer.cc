#include "app/cmd_keys_signer.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>

#include "archive/logs.h"
#include "archive/seal/key_file.h"
#include "core/encoding.h"
#include "core/json.h"

namespace chancery::app {
namespace {

std::optional<Buffer> passphrase_of(const SignerKeyArguments& arguments) {
  if (arguments.passphrase_file.empty()) return std::nullopt;
  std::ifstream in{arguments.passphrase_file};
  Buffer line;
  if (!std::getline(in, line)) throw Failure{fmt::format("{} cannot be read", arguments.passphrase_file)};
  return line;
}

std::string public_half(const merkle::PrivateKey& key) { return to_hex(merkle::bytes_of_key(key.public_key())); }

std::vector<merkle::PrivateKey> load(const SignerKeyArguments& arguments) {
  auto keys = seal::load_private_keys(arguments.file, passphrase_of(arguments));
  if (!keys) throw Failure{keys.error()};
  return *std::move(keys);
}

void print(const Context& context, const char* name, const std::string& key, const std::string& sentence) {
  if (!context.json) {
    context.out << sentence << '\n';
    return;
  }
  std::string json;
  JsonWriter{json}.begin_object().member(name, key).end_object();
  context.out << json << '\n';
}

Buffer read(const std::string& file) {
  return journal::read_file(journal::posix_disk(), file, merkle::kNoteSizeMax).value_or(Buffer{});
}

bool names(Bytes key_file, const merkle::VerifierKey& key) { return key_file.find(key.vkey() + "\n") != Bytes::npos; }

// The newest log of each node is the one that is signed on.
std::vector<archive::Log> newest_logs(const std::string& archive) {
  std::map<std::string, archive::Log> newest;
  for (auto& log : archive::list_logs(archive::paths_of(archive).archive))
    newest[log.origin.substr(0, log.origin.rfind('/'))] = std::move(log);
  std::vector<archive::Log> logs;
  for (auto& [node, log] : newest) logs.push_back(std::move(log));
  return logs;
}

// Empty: this log needs the old key no more.
std::string why_not(const archive::Log& log, const merkle::PrivateKey& old_key, const merkle::PrivateKey& next) {
  const auto named = [&](const merkle::PrivateKey& key) {
    return merkle::VerifierKey{log.origin, merkle::KeyType::ed25519, key.public_key()};
  };
  const Buffer keys = read(log.folder + "/log.vkey");
  if (!names(keys, named(old_key)) && !names(keys, named(next))) return {};  // another signer's
  const auto note = merkle::parse_note(read(log.folder + "/checkpoint"));
  if (note && merkle::check(*note, named(next)).is_valid()) return {};
  return names(keys, named(next))
             ? fmt::format(
                   "{}: its newest checkpoint is still signed by the old key; the next one follows within a second "
                   "of the next record",
                   log.origin)
             : fmt::format(
                   "{}: the new key is not on its record yet; restart the gateway (and a separate signer before it)",
                   log.origin);
}

}  // namespace

Exit create_signer_key(const Context& context, const SignerKeyArguments& arguments) {
  const auto key = seal::create_private_key(arguments.file, passphrase_of(arguments));
  if (!key) throw Failure{key.error()};
  print(context, "public_key", public_half(*key), public_half(*key));
  return Exit::ok;
}

Exit show_signer_keys(const Context& context, const SignerKeyArguments& arguments) {
  const auto keys = load(arguments);
  if (context.json) {
    std::string json;
    JsonWriter writer{json};
    writer.begin_object().member("current", public_half(keys.front())).key("next");
    keys.size() > 1 ? writer.value(public_half(keys[1])) : writer.null();
    writer.end_object();
    context.out << json << '\n';
    return Exit::ok;
  }
  context.out << fmt::format("current  {}  {}\n", public_half(keys.front()), arguments.file);
  if (keys.size() > 1)
    context.out << fmt::format("next     {}  {}\n", public_half(keys[1]), seal::next_key_file(arguments.file).string());
  return Exit::ok;
}

Exit rotate_signer_key(const Context& context, const SignerKeyArguments& arguments) {
  const auto key = seal::create_next_key(arguments.file, passphrase_of(arguments));
  if (!key) throw Failure{key.error()};
  print(
      context, "next", public_half(*key),
      fmt::format(
          "{}\nThis is the next checkpoint key, in {}. Restart the gateway (and a separate signer before it): it puts "
          "the "
          "key on the record, has that signed by the old one, and signs with the new one from then on. Then `chancery "
          "keys retire --signer-key {} -d ARCHIVE` destroys the old one. Whoever holds the old public key can go on "
          "verifying with it; witnesses must be told (`chancery witness add-log` with the log.vkey).",
          public_half(*key), seal::next_key_file(arguments.file).string(), arguments.file));
  return Exit::ok;
}

Exit retire_signer_key(const Context& context, const SignerKeyArguments& arguments) {
  if (arguments.archive.empty()) throw Failure{"name the archive whose checkpoints it signs with -d"};
  const auto keys = load(arguments);
  if (keys.size() < 2)
    throw Failure{fmt::format(
        "{0} is the only key there: make the next one first, `chancery keys rotate --signer-key {0}`", arguments.file)};
  const auto logs = newest_logs(arguments.archive);
  if (logs.empty()) throw Failure{fmt::format("{} holds no log", arguments.archive)};
  std::string reasons;
  for (const archive::Log& log : logs)
    if (const std::string why = why_not(log, keys[0], keys[1]); !why.empty()) reasons += "\n  " + why;
  if (!reasons.empty()) throw Failure{"the old key is still needed:" + reasons};
  if (const auto done = seal::retire_private_key(arguments.file); !done) throw Failure{done.error()};
  print(context, "retired", public_half(keys[0]),
        fmt::format("{} is destroyed. {} is now the only key; its public half stays in each log's log.vkey.",
                    public_half(keys[0]), public_half(keys[1])));
  return Exit::ok;
}

}  // namespace chancery::app
