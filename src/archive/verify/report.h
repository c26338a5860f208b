#pragma once
// What `verify` found, for a person and as JSON. docs/guide/verify.md explains each kind.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/verify/disclosed.h"
#include "core/time.h"

namespace chancery::verify {

enum class Kind : std::uint8_t {
  altered,      // octets are not what was written
  removed,      // something that must be there is not
  foreign,      // something is there that belongs to no known place
  rolled_back,  // the archive is older than what the anchor knows
  resigned,     // another history, or signed by another key, than the anchor knows
  backdated,    // a record's time contradicts the checkpoints around it
  gap,          // a conversation's sequence has a hole or a repetition
};
std::string_view to_string(Kind kind);

struct Finding {
  Kind kind = Kind::altered;
  std::string log;                     // origin; empty: the archive itself
  std::optional<std::uint64_t> index;  // the first record concerned
  std::string file;                    // relative to the archive; may be empty
  std::string what;                    // one sentence

  std::string record() const;  // "origin#index", "" without one
};

struct LogReport {
  std::string origin;
  std::uint64_t records = 0;    // read, the unpublished tail included
  std::uint64_t published = 0;  // under the newest checkpoint
  std::optional<Instant> published_time;
  std::uint64_t checkpoints = 0;
  std::uint64_t witnessed = 0;  // under a checkpoint cosigned by a given witness
  std::optional<Instant> witnessed_time;
  std::uint64_t anchored = 0;  // confirmed by something from outside the archive
  bool is_anchored = false;    // all that is published is, but for a witness's usual lag
  std::string tail_damage;     // what is wrong above the last checkpoint; empty: nothing
};

// Who vouches for a bundle's checkpoint.
struct Signer {
  std::string name;             // of the key
  std::string key;              // its vkey; empty: it was not given, so its signature could not be checked
  bool is_anchor = false;       // given from outside the bundle, and valid
  std::optional<Instant> time;  // of a witness's cosignature
};

// Exactly what one bundle shows, no more.
struct BundleReport {
  std::string record;  // "origin#index"
  Instant time;        // of the leaf
  std::string conversation;
  std::uint64_t conversation_sequence = 0;
  std::optional<Said> said;     // what the record says; nullopt: the bundle does not disclose it
  std::uint64_t tree_size = 0;  // of the checkpoint that it is under
  std::optional<Instant> checkpoint_time;
  std::vector<Signer> signers, witnesses;
};

struct Report {
  std::optional<BundleReport> bundle;  // of a bundle only
  std::vector<LogReport> logs;
  std::vector<Finding> findings;
  std::vector<std::string> unreadable;  // what could not be read, so nothing can be said of it
  std::vector<std::string> notes;       // worth knowing, not wrong

  bool is_anchored() const;
  int exit_code() const;        // 0 all holds against an anchor, 1 findings, 2 cannot tell
  std::string verdict() const;  // one sentence
  std::string text() const;
  std::string json() const;
};

}  // namespace chancery::verify
