#pragma once
// Bytes by application over time, in a fixed number of steps: when the capture grows longer than they reach, each two
// become one of double length.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/time.h"

namespace chancery::sensor {

class Timeline {
 public:
  static constexpr std::size_t kSteps = 240;
  static constexpr std::size_t kApplicationsMax = 512;  // later ones are added to [0]

  // `application`: 0 for what has no name (yet).
  void add(std::size_t application, Instant time, std::uint64_t bytes) {
    if (time < step_begin_ || time >= step_end_) seek(time);
    counts_of(application)[step_] += bytes;
  }

  // `bytes` that were counted under 0 belong to `application`: those of the step of `time`, as far as there are so
  // many.
  void move(std::size_t application, Instant time, std::uint64_t bytes) {
    if (time < step_begin_ || time >= step_end_) seek(time);
    std::uint64_t& unnamed = counts_of(0)[step_];
    const std::uint64_t moved = std::min(unnamed, bytes);
    unnamed -= moved;
    counts_of(application)[step_] += moved;
  }

  Instant begin() const { return begin_; }
  Duration step() const { return length_; }
  std::size_t used() const { return used_; }  // steps
  std::size_t applications() const { return counts_.size(); }
  std::uint64_t at(std::size_t application, std::size_t step) const {
    return application < counts_.size() && !counts_[application].empty() ? counts_[application][step] : 0;
  }

 private:
  using Counts = std::vector<std::uint64_t>;
  Counts& counts_of(std::size_t application) {
    if (application >= kApplicationsMax) application = 0;
    if (application >= counts_.size()) counts_.resize(application + 1);
    Counts& counts = counts_[application];
    if (counts.empty()) counts.resize(kSteps);
    return counts;
  }
  void seek(Instant time);
  void halve();

  std::vector<Counts> counts_;
  Instant begin_ = Instant::max();
  Duration length_ = std::chrono::seconds{1};
  std::size_t step_ = 0, used_ = 0;
  Instant step_begin_ = Instant::max(), step_end_ = Instant::min();
};

}  // namespace chancery::sensor
