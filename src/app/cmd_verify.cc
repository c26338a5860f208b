// chancery verify: does an archive, or a bundle, still say what was written?
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "app/command.h"
#include "app/commands.h"
#include "archive/verify/archive_check.h"
#include "archive/verify/bundle.h"

namespace chancery::app {
namespace {

struct Given {
  std::string target;
  std::vector<std::string> keys, since, witnesses;
  std::uint32_t tolerance_s =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(verify::kToleranceDefault).count());
};

Buffer read_whole(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::stringstream octets;
  octets << in.rdbuf();
  if (!in) throw Failure{fmt::format("{}: cannot be read", file.string())};
  return octets.str();
}

// A key on the command line, or the name of a file that holds it.
Buffer text_or_file(const std::string& given) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(given, ignored) ? read_whole(given) : given;
}

verify::Anchors anchors_of(const Given& given) {
  verify::Anchors anchors;
  anchors.tolerance = std::chrono::seconds{given.tolerance_s};
  for (const std::string& text : given.keys) {
    const auto keys = verify::parse_keys(text_or_file(text));
    if (!keys) throw Failure{fmt::format("--key {}: {}", text, keys.error())};
    anchors.keys.insert(anchors.keys.end(), keys->begin(), keys->end());
  }
  for (const std::string& file : given.since) {
    auto held = verify::parse_held(read_whole(file));
    if (!held) throw Failure{fmt::format("--since {}: {}", file, held.error())};
    anchors.since.push_back(std::move(*held));
  }
  for (const std::string& text : given.witnesses) {
    const auto key = verify::parse_witness(text_or_file(text));
    if (!key) throw Failure{fmt::format("--witness {}: {}", text, key.error())};
    anchors.witnesses.push_back(*key);
  }
  return anchors;
}

Exit show(const Context& context, const verify::Report& report) {
  context.out << (context.json ? report.json() : report.text());
  return static_cast<Exit>(report.exit_code());
}

Exit run_verify(const Context& context, const Given& given) {
  const verify::Anchors anchors = anchors_of(given);
  if (std::filesystem::is_regular_file(given.target))
    return show(context, verify::verify_bundle(read_whole(given.target), anchors));
  const archive::Paths paths = archive::paths_of(given.target);
  if (!std::filesystem::is_directory(paths.archive))
    throw Failure{fmt::format("{}: neither an archive's folder nor a bundle", given.target)};
  verify::FolderSource source{paths.archive};
  return show(context, verify::verify_archive(source, anchors));
}

}  // namespace

void add_verify(CLI::App& root, Context& context) {
  auto given = std::make_shared<Given>();
  CLI::App* command = add_command(
      root, context, "verify", "Check that an archive or a bundle still says what was written",
      "  chancery verify /srv/archive --key log.pub\n"
      "  chancery verify /srv/archive --since checkpoint-of-last-year --witness 'w.example/1+0a1b2c3d+BA…'\n"
      "  chancery verify record-4711.bundle --key log.pub --json\n"
      "Exit codes: 0 all holds against an anchor; 1 something was altered, removed, rolled back or back-dated;\n"
      "2 cannot tell, or no anchor was given. A key or checkpoint taken from the archive itself is no anchor.");
  command->add_option("target", given->target, "The archive's folder, or a bundle made by `chancery prove`")
      ->required();
  command->add_option("--key", given->keys, "Public key of the log's signer, or a file with such keys, one a line");
  command->add_option("--since", given->since, "File with a checkpoint that was kept outside the archive");
  command->add_option("--witness", given->witnesses, "Verifier key of a witness, or a file with it");
  command->add_option("--tolerance", given->tolerance_s, "Seconds that clocks may differ")->capture_default_str();
  on_run(*command, context, [&context, given] { return run_verify(context, *given); });
}

}  // namespace chancery::app
