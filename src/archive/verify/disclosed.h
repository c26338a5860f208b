#pragma once
// What a disclosed record says, read from docs/formats/record.md alone: enough of it to tell a person what a bundle
// proves.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"

namespace chancery::verify {

struct Said {
  Instant time;
  std::string protocol, network, account;
  std::string kind;  // "message"; "kind 77" for one of a later version
  std::string from, room, id, detail, seal;
  std::vector<std::string> to, present;
  std::vector<std::pair<std::string, std::string>> texts;  // role ("body", "subject", …) and text
  std::string verdict, rule;                               // "forward" when nothing else is written
};

// nullopt: not a record of version 1. Strings are as they were written: octets of strangers.
std::optional<Said> read_disclosed(Bytes record);

}  // namespace chancery::verify
