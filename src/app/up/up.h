#pragma once
// `chancery up`: everything on loopback in one folder, for a first look.
#include <filesystem>
#include <string>

#include "app/context.h"

namespace chancery::app::up {

struct Options {
  std::filesystem::path folder;
  bool show_text = false;  // message text in the lines that follow what happens
  bool sample = true;      // have the sample conversation, the first time
  bool follow = true;      // false: stop again once all is up (a check, and what tests use)
};

// Brings everything up, says how to use it, follows until SIGINT or SIGTERM, stops all of it in order. Exit::wrong
// when something that should run has died. Throws Failure when it cannot start.
Exit run(const Context& context, const Options& options);

}  // namespace chancery::app::up
