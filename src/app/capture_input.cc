#include "app/capture_input.h"

#include <cstdint>
#include <fmt/format.h>
#include <random>

#include "app/terminal.h"

namespace chancery::app {
namespace {

constexpr std::uint64_t kProgressStep = 16'384;  // frames

void read_one(const Context& context, const std::string& path, sensor::CaptureFile& file, sensor::Sensor& sensor) {
  Progress progress;
  sensor::Frame frame;
  for (std::uint64_t frames = 1; file.next(frame); ++frames) {
    sensor.frame(frame);
    if (frames % kProgressStep == 0)
      progress.show(file.size() > 0 ? fmt::format("{}: {} %", path, 100 * file.consumed() / file.size())
                                    : fmt::format("{}: {} packets", path, frames));
  }
  sensor::SkipCounts& skipped = sensor.summary().skipped();
  if (file.skipped() > 0) skipped.add(sensor::Skip::bad_record, file.skipped());
  if (file.fault().empty()) return;
  skipped.add(sensor::Skip::damaged_file);
  context.err << fmt::format("chancery: {} was read only in part: {}\n", path, file.fault());
}

}  // namespace

std::vector<sensor::CaptureFile> open_captures(const std::vector<std::string>& paths) {
  std::vector<sensor::CaptureFile> files;
  for (const auto& path : paths) {
    auto file = sensor::CaptureFile::open(path);
    if (!file) throw Failure(file.error());
    files.push_back(std::move(*file));
  }
  return files;
}

void read_captures(const Context& context, const std::vector<std::string>& paths,
                   std::vector<sensor::CaptureFile>& files, sensor::Sensor& sensor) {
  for (std::size_t i = 0; i < files.size(); ++i) read_one(context, paths[i], files[i], sensor);
}

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

}  // namespace chancery::app
