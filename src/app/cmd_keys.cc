// chancery keys …: the key store, without which no message body can be read.
#include <fmt/format.h>

#include "app/cmd_keys_signer.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/serve/keys.h"
#include "core/json.h"

namespace chancery::app {
namespace {

using journal::KeyInfo;

struct Arguments {
  std::string archive, keys, id, signer_key, passphrase_file;

  SignerKeyArguments signer() const { return {signer_key, passphrase_file, archive}; }
};

std::filesystem::path folder_of(const Arguments& arguments) {
  if (!arguments.keys.empty()) return arguments.keys;
  if (arguments.archive.empty()) throw Failure("name the archive with -d, or the key store itself with --keys");
  return archive::paths_of(arguments.archive).keys;
}

// The store of a command that needs one.
std::filesystem::path existing_folder_of(const Arguments& arguments) {
  auto folder = folder_of(arguments);
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return folder;
  if (arguments.keys.empty() && !std::filesystem::exists(arguments.archive, error))
    throw Failure(
        fmt::format("there is no folder {}, and no key store {} beside it", arguments.archive, folder.string()));
  throw Failure(
      fmt::format("there is no key store {}. `chancery keys create` makes one; if it lies elsewhere, name it "
                  "with --keys",
                  folder.string()));
}

[[noreturn]] void fail(const std::filesystem::path& folder, std::error_code error) {
  throw Failure(fmt::format("the key store {}: {}", folder.string(), error.message()));
}

void print_done(const Context& context, const std::string& sentence, const char* key, const std::string& value) {
  if (context.json) {
    std::string json;
    JsonWriter{json}.begin_object().member(key, value).end_object();
    context.out << json << '\n';
  } else {
    context.out << sentence << '\n';
  }
}

Exit create(const Context& context, const Arguments& arguments) {
  const auto folder = folder_of(arguments);
  if (const auto error = journal::KeyStore::create(journal::posix_disk(), folder.string())) fail(folder, error);
  print_done(
      context,
      fmt::format("Made {} with a master key. Keep a copy of it somewhere safe: if it is lost, no message of the "
                  "archive can be read again (the proofs still hold).",
                  folder.string()),
      "created", folder.string());
  return Exit::ok;
}

std::string_view to_string(KeyInfo::Kind kind) {
  switch (kind) {
    case KeyInfo::Kind::master:
      return "master";
    case KeyInfo::Kind::day:
      return "day";
    case KeyInfo::Kind::log:
      return "log";
  }
  return "unknown";
}

std::string about(const KeyInfo& key) {
  switch (key.kind) {
    case KeyInfo::Kind::master:
      return key.current ? "current: new keys are wrapped under it" : "not current";
    case KeyInfo::Kind::day:
      return fmt::format("class {}, {}, under master {}", key.retention_class, key.day, journal::hex_of(key.master));
    case KeyInfo::Kind::log:
      return fmt::format("of {}, under master {}", key.origin, journal::hex_of(key.master));
  }
  return {};
}

std::string keys_json(const std::vector<KeyInfo>& keys) {
  std::string text;
  JsonWriter json{text};
  json.begin_array();
  for (const auto& key : keys) {
    json.begin_object().member("kind", to_string(key.kind)).member("id", journal::hex_of(key.id));
    if (key.kind == KeyInfo::Kind::master)
      json.member("current", key.current);
    else
      json.member("master", journal::hex_of(key.master));
    if (key.kind == KeyInfo::Kind::day) json.member("retention_class", key.retention_class).member("day", key.day);
    if (key.kind == KeyInfo::Kind::log) json.member("log", key.origin);
    json.member("path", key.path).end_object();
  }
  json.end_array();
  return text;
}

Exit show(const Context& context, const Arguments& arguments) {
  const auto folder = existing_folder_of(arguments);
  const auto keys = open_keys(folder).show();
  if (!keys) fail(folder, keys.error());
  if (context.json) {
    context.out << keys_json(*keys) << '\n';
    return Exit::ok;
  }
  for (const auto& key : *keys)
    context.out << fmt::format("{:<6}  {}  {}\n", to_string(key.kind), journal::hex_of(key.id), about(key));
  return Exit::ok;
}

Exit rotate(const Context& context, const Arguments& arguments) {
  const auto folder = existing_folder_of(arguments);
  const auto id = open_keys(folder).rotate();
  if (!id) fail(folder, id.error());
  const std::string hex = journal::hex_of(*id);
  print_done(context,
             fmt::format("{} is the new master key. The old one stays until `chancery keys retire` names it; copies of "
                         "the key store made before need it.",
                         hex),
             "current", hex);
  return Exit::ok;
}

Exit retire(const Context& context, const Arguments& arguments) {
  const auto folder = existing_folder_of(arguments);
  if (arguments.id.empty())
    throw Failure("name the master key to destroy by its id, as `chancery keys show` prints it");
  const auto id = journal::key_id_from_hex(arguments.id);
  if (!id)
    throw Failure(fmt::format("\"{}\" is no key id: 32 hex digits, as `chancery keys show` prints them", arguments.id));
  if (const auto error = open_keys(folder).retire(*id)) fail(folder, error);
  print_done(context, fmt::format("{} is destroyed.", arguments.id), "retired", arguments.id);
  return Exit::ok;
}

using Action = Exit (*)(const Context&, const Arguments&);
using SignerAction = Exit (*)(const Context&, const SignerKeyArguments&);

CLI::App* add(CLI::App& group, Context& context, const char* name, const char* description, const char* examples,
              Action action, SignerAction signer_action, std::shared_ptr<Arguments> arguments) {
  CLI::App* command = add_command(group, context, name, description, examples);
  command->add_option("-d,--archive", arguments->archive, "The archive's folder, or the folder of `chancery up`")
      ->type_name("ARCHIVE");
  command->add_option("--keys", arguments->keys, "The key store's folder, where it is not ARCHIVE.keys")
      ->type_name("DIR");
  command->add_option("--signer-key", arguments->signer_key, "The signer's private key instead of the key store")
      ->type_name("FILE");
  command
      ->add_option("--passphrase-file", arguments->passphrase_file, "With --signer-key: file whose first line opens it")
      ->type_name("FILE");
  on_run(*command, context, [&context, action, signer_action, arguments] {
    return arguments->signer_key.empty() ? action(context, *arguments) : signer_action(context, arguments->signer());
  });
  return command;
}

}  // namespace

void add_keys(CLI::App& root, Context& context) {
  CLI::App* group = add_group(root, context, "keys",
                              "Look after the keys that bodies are encrypted under, and the one that signs checkpoints",
                              "  chancery keys create -d /var/lib/chancery/archive\n"
                              "  chancery keys show -d /var/lib/chancery/archive\n"
                              "  chancery keys rotate --signer-key /etc/chancery/signer.key");
  auto arguments = std::make_shared<Arguments>();
  add(*group, context, "create", "Make a key store",
      "  chancery keys create -d /var/lib/chancery/archive\n"
      "  chancery keys create --signer-key /etc/chancery/signer.key > signer.pub",
      create, create_signer_key, arguments);
  add(*group, context, "show", "List the keys; nothing of it is secret",
      "  chancery keys show -d /var/lib/chancery/archive\n"
      "  chancery keys show --keys /var/lib/chancery/archive.keys --json\n"
      "  chancery keys show --signer-key /etc/chancery/signer.key",
      show, show_signer_keys, arguments);
  add(*group, context, "rotate", "Make a new master key and wrap every key under it; or the next checkpoint key",
      "  chancery keys rotate -d /var/lib/chancery/archive\n"
      "  chancery keys rotate --signer-key /etc/chancery/signer.key\n"
      "The gateway takes the next checkpoint key up when it is started again; docs/formats/keys.md.",
      rotate, rotate_signer_key, arguments);
  add(*group, context, "retire",
      "Destroy a master key that nothing is wrapped under any more; or the old checkpoint key",
      "  chancery keys retire -d /var/lib/chancery/archive 0123456789abcdef0123456789abcdef\n"
      "  chancery keys retire --signer-key /etc/chancery/signer.key -d /var/lib/chancery/archive",
      retire, retire_signer_key, arguments)
      ->add_option("ID", arguments->id, "The master key's id, as `chancery keys show` prints it");
}

}  // namespace chancery::app
