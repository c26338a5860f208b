// chancery detect: what IM and P2P goes round the gateway, from capture files.
#include <fmt/format.h>
#include <random>

#include "app/command.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "sensor/capture/capture_file.h"
#include "sensor/sensor.h"

namespace chancery::app {
namespace {

struct Arguments {
  std::vector<std::string> files;
};

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

// All are opened before the first is read: a name mistyped shows at once.
std::vector<sensor::CaptureFile> open_all(const std::vector<std::string>& paths) {
  std::vector<sensor::CaptureFile> files;
  for (const auto& path : paths) {
    auto file = sensor::CaptureFile::open(path);
    if (!file) throw Failure(file.error());
    files.push_back(std::move(*file));
  }
  return files;
}

void read_file(const Context& context, const std::string& path, sensor::CaptureFile& file, sensor::Sensor& sensor) {
  sensor::Frame frame;
  while (file.next(frame)) sensor.frame(frame);
  sensor::SkipCounts& skipped = sensor.summary().skipped();
  if (file.skipped() > 0) skipped.add(sensor::Skip::bad_record, file.skipped());
  if (file.fault().empty()) return;
  skipped.add(sensor::Skip::damaged_file);
  context.err << fmt::format("chancery: {} was read only in part: {}\n", path, file.fault());
}

void print_summary(const Context& context, const sensor::Summary& summary) {
  context.out << fmt::format("{} packets, {} bytes\n", summary.packets(), summary.bytes());
}

Exit run_detect(const Context& context, const Arguments& arguments) {
  auto files = open_all(arguments.files);
  sensor::Sensor::Options options;
  options.flows.seed = random_seed();
  options.summary.flows = options.summary.messages = options.summary.urls = context.json;
  sensor::Sensor sensor{options, nullptr};
  for (std::size_t i = 0; i < files.size(); ++i) read_file(context, arguments.files[i], files[i], sensor);
  sensor.finish();
  if (!context.json) {
    print_summary(context, sensor.summary());
    return Exit::ok;
  }
  const auto done = sensor.summary().write_json([&](std::string_view piece) { context.out << piece; });
  if (!done) throw Failure(done.error());
  return Exit::ok;
}

}  // namespace

void add_detect(CLI::App& root, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(root, context, "detect", "Show which IM and P2P is in captured traffic",
                                  "  chancery detect -r monday.pcap tuesday.pcapng.gz\n"
                                  "  chancery detect -r mirror.pcap --json\n"
                                  "Files may be pcap or pcapng, plain or gzipped; - is standard input.");
  command->add_option("-r,--read", arguments->files, "Capture files, read one after the other")->required();
  on_run(*command, context, [&context, arguments] { return run_detect(context, *arguments); });
}

}  // namespace chancery::app
