// chancery verify: does an archive, or a bundle, still say what was written?
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <sstream>

#include "app/command.h"
#include "app/commands.h"
#include "archive/verify/archive_check.h"
#include "archive/verify/bundle.h"

namespace chancery::app {
namespace {

namespace fs = std::filesystem;

struct Given {
  std::string target;
  std::vector<std::string> keys, since, witnesses;
  std::uint32_t tolerance_s =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(verify::kToleranceDefault).count());
};

Buffer read_whole(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::stringstream octets;
  octets << in.rdbuf();
  if (!in) throw Failure{fmt::format("{} cannot be read", file.string())};
  return octets.str();
}

// Links followed: what a path really names. As it stands where that cannot be told.
fs::path real(const fs::path& path) {
  std::error_code error;
  const fs::path found = fs::canonical(path, error);
  return error ? fs::absolute(path) : found;
}

bool lies_in(const fs::path& file, const fs::path& folder) {
  const fs::path inner = real(file), outer = real(folder);
  return std::ranges::mismatch(outer, inner).in1 == outer.end();
}

// Collects what the auditor brought. A file inside the archive is nothing that he brought: whoever could rewrite the
// archive could rewrite it too. It is left out, and `ignored` says so.
class AnchorReader {
 public:
  explicit AnchorReader(fs::path archive) : archive_(std::move(archive)) {}

  void add_keys(const std::string& given) {
    const auto text = text_of("--key", given);
    if (!text) return;
    const auto keys = verify::parse_keys(*text);
    if (!keys) fail("--key", given, keys.error());
    anchors.keys.insert(anchors.keys.end(), keys->begin(), keys->end());
  }
  void add_since(const std::string& file) {
    if (!is_file(file)) throw Failure{fmt::format("--since {0}: there is no file {0}", file)};
    const auto text = text_of("--since", file);
    if (!text) return;
    auto held = verify::parse_held(*text);
    if (!held) fail("--since", file, held.error());
    anchors.since.push_back(std::move(*held));
  }
  void add_witness(const std::string& given) {
    const auto text = text_of("--witness", given);
    if (!text) return;
    const auto key = verify::parse_witness(*text);
    if (!key) fail("--witness", given, key.error());
    anchors.witnesses.push_back(*key);
  }

  verify::Anchors anchors;
  std::vector<std::string> ignored;

 private:
  static bool is_file(const std::string& given) {
    std::error_code error;
    return fs::is_regular_file(given, error);
  }
  // A key on the command line, or what is in the file of that name.
  std::optional<Buffer> text_of(const char* option, const std::string& given) {
    if (!is_file(given)) return given;
    if (archive_.empty() || !lies_in(given, archive_)) return read_whole(given);
    ignored.push_back(fmt::format(
        "{} {} lies in the archive itself and is no anchor: whoever could rewrite the archive could rewrite "
        "it too. Take it from where it was kept since the log began",
        option, given));
    return std::nullopt;
  }
  [[noreturn]] static void fail(const char* option, const std::string& given, const std::string& what) {
    if (is_file(given)) throw Failure{fmt::format("{} {}: {}", option, given, what)};
    throw Failure{fmt::format("{0} {1}: there is no file {1}, and taken by itself it is {2}", option, given, what)};
  }

  fs::path archive_;
};

AnchorReader read_anchors(const Given& given, const fs::path& archive) {
  AnchorReader reader{archive};
  reader.anchors.tolerance = std::chrono::seconds{given.tolerance_s};
  for (const std::string& key : given.keys) reader.add_keys(key);
  for (const std::string& file : given.since) reader.add_since(file);
  for (const std::string& witness : given.witnesses) reader.add_witness(witness);
  return reader;
}

Exit show(const Context& context, verify::Report report, const std::vector<std::string>& ignored) {
  report.notes.insert(report.notes.end(), ignored.begin(), ignored.end());
  context.out << (context.json ? report.json() : report.text());
  return static_cast<Exit>(report.exit_code());
}

Exit run_verify(const Context& context, const Given& given) {
  if (fs::is_regular_file(given.target)) {
    const AnchorReader brought = read_anchors(given, {});
    return show(context, verify::verify_bundle(read_whole(given.target), brought.anchors), {});
  }
  const archive::Paths paths = archive::paths_of(given.target);
  if (!fs::exists(paths.archive)) throw Failure{fmt::format("there is no file or folder {}", given.target)};
  if (!fs::is_directory(paths.archive))
    throw Failure{fmt::format("{}: neither an archive's folder nor a bundle", given.target)};
  const AnchorReader brought = read_anchors(given, paths.archive);
  verify::FolderSource source{paths.archive};
  return show(context, verify::verify_archive(source, brought.anchors), brought.ignored);
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
      "2 cannot tell, or no anchor was given. A key or checkpoint that lies in the archive itself is no anchor.");
  command->add_option("target", given->target, "The archive's folder, or a bundle made by `chancery prove`")
      ->required();
  add_repeatable(*command, "--key", given->keys,
                 "Public key of the log's signer, or a file with such keys, one a line");
  add_repeatable(*command, "--since", given->since, "File with a checkpoint that was kept outside the archive");
  add_repeatable(*command, "--witness", given->witnesses, "Verifier key of a witness, or a file with it");
  command->add_option("--tolerance", given->tolerance_s, "Seconds that clocks may differ")->capture_default_str();
  on_run(*command, context, [&context, given] { return run_verify(context, *given); });
}

}  // namespace chancery::app
