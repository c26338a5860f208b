#include "sensor/report/timeline.h"

#include <algorithm>

namespace chancery::sensor {
namespace {

// Beyond it steps cannot grow any more: times so far apart are damaged.
constexpr Duration kLengthMax = std::chrono::hours{24 * 30};
constexpr Duration kSpanMax = 2 * kLengthMax * static_cast<std::int64_t>(Timeline::kSteps);

}  // namespace

// What lies before the begin or beyond what steps can reach is counted at the edge: times may be damaged.
void Timeline::seek(Instant time) {
  if (begin_ == Instant::max()) begin_ = std::clamp(time, Instant{}, Instant::max() - kSpanMax);
  while (time > begin_ && (time - begin_) / length_ >= static_cast<std::int64_t>(kSteps) && length_ < kLengthMax)
    halve();
  const std::int64_t step = time <= begin_ ? 0 : (time - begin_) / length_;
  step_ = static_cast<std::size_t>(std::min<std::int64_t>(step, kSteps - 1));
  used_ = std::max(used_, step_ + 1);
  step_begin_ = begin_ + length_ * static_cast<std::int64_t>(step_);
  step_end_ = step_begin_ + length_;
}

void Timeline::halve() {
  for (Counts& counts : counts_) {
    if (counts.empty()) continue;
    for (std::size_t i = 0; i < kSteps / 2; ++i) counts[i] = counts[2 * i] + counts[2 * i + 1];
    std::fill(counts.begin() + kSteps / 2, counts.end(), 0);
  }
  length_ *= 2;
  used_ = (used_ + 1) / 2;
}

}  // namespace chancery::sensor
