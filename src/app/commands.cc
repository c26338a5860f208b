#include "app/commands.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/usage.h"
#include "core/json.h"

namespace chancery::app {
namespace {

constexpr const char* kDescription =
    "Chancery records instant messages before it forwards them, and can prove it.\n"
    "Exit codes: 0 done and nothing wrong, 1 something was found wrong, 2 cannot tell or wrong usage.";

constexpr const char* kFooter =
    "Examples:\n"
    "  chancery up --dir demo\n"
    "  chancery search -d demo budget --from alice@im.test\n"
    "  chancery verify demo\n"
    "`chancery COMMAND --help` explains each command.";

// With --json the one object stands on both: where a program reads its answer, and where errors go when the answer is
// piped on.
int fail(const Context& context, Exit exit, std::string_view sentence) {
  if (context.json) {
    std::string json;
    JsonWriter{json}.begin_object().member("error", sentence).member("exit", static_cast<int>(exit)).end_object();
    context.out << json << '\n';
    context.err << json << '\n';
  } else {
    context.err << "chancery: " << sentence << '\n';
  }
  return static_cast<int>(exit);
}

// The one place where exceptions end.
int run_command(const Context& context) {
  try {
    return static_cast<int>(context.run());
  } catch (const Failure& failure) {
    return fail(context, failure.exit(), failure.what());
  } catch (const std::exception& error) {
    return fail(context, Exit::unsure, error.what());
  }
}

}  // namespace

void add_commands(CLI::App& root, Context& context) {
  add_up(root, context);
  add_gateway(root, context);
  add_search(root, context);
  add_export(root, context);
  add_verify(root, context);
  add_prove(root, context);
  add_config(root, context);
  add_policy(root, context);
  add_archive(root, context);
  add_keys(root, context);
  add_signer(root, context);
  add_witness(root, context);
  add_detect(root, context);
  add_sensor(root, context);
  add_enforcer(root, context);
  add_blocks(root, context);
}

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  Context context{.out = out, .err = err, .program = argc > 0 ? argv[0] : "chancery", .run = {}};
  const Words words(argv + std::min(argc, 1), argv + argc);
  CLI::App root{kDescription, "chancery"};
  root.footer(kFooter);
  root.set_version_flag("--version", "chancery " CHANCERY_VERSION);
  root.add_flag("--json", context.json, "Print JSON")->group("");  // also taken before the command
  root.require_subcommand(1);
  add_commands(root, context);
  try {
    if (const auto misnamed = misnamed_command(root, words)) {
      context.json = wants_json(words);
      return fail(context, Exit::unsure, *misnamed);
    }
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return root.exit(error, out, err);  // --help, --version
    context.json = wants_json(words);
    return fail(context, Exit::unsure, explain(root, words, error));
  }
  return run_command(context);
}

}  // namespace chancery::app
