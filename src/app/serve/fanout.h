#pragma once
// Passes what the journal reports on to several observers, in the order they were added.
#include <vector>

#include "journal/journal.h"

namespace chancery::app::serve {

class Fanout final : public journal::Observer {
 public:
  // Before the first append; `observer` must outlive the journal.
  void add(journal::Observer& observer) { observers_.push_back(&observer); }

  void on_durable(std::span<const journal::Durable> group) override {
    for (journal::Observer* observer : observers_) observer->on_durable(group);
  }
  void on_failed(std::error_code why, std::uint64_t durable_size) override {
    for (journal::Observer* observer : observers_) observer->on_failed(why, durable_size);
  }

 private:
  std::vector<journal::Observer*> observers_;
};

}  // namespace chancery::app::serve
