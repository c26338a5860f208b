#pragma once
// Follows the gateway's log as it grows: one line an event, for the operator's own terminal.
#include <memory>
#include <ostream>

#include "app/up/folder.h"

namespace chancery::app::up {

class Follower {
 public:
  // Prints to `out`, which must outlive it; message text only with `show_text`.
  Follower(const Folder& folder, std::ostream& out, bool show_text);
  ~Follower();

  // Prints what has become durable since the last call. Before the first record is there, it does nothing.
  void look();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery::app::up
