#pragma once
// What the auditor brings from outside the archive. A key or checkpoint that lies in the archive itself proves nothing
// against whoever holds the archive.
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "merkle/checkpoint.h"

namespace chancery::verify {

inline constexpr Duration kToleranceDefault = std::chrono::seconds{300};

struct HeldCheckpoint {
  std::string origin;
  merkle::TreeHead head;
  merkle::Note note;
};

// Remembers signatures that were checked, for callers that verify nearly the same archive many times.
using SignatureMemo = std::map<Hash, merkle::Checked>;

struct Anchors {
  std::vector<merkle::PublicKey> keys;  // of the logs' signers, whatever names they go by
  std::vector<HeldCheckpoint> since;
  std::vector<merkle::VerifierKey> witnesses;  // type cosignature
  Duration tolerance = kToleranceDefault;      // between clocks: records, signer, witnesses
  SignatureMemo* memo = nullptr;

  bool is_empty() const { return keys.empty() && since.empty() && witnesses.empty(); }
  merkle::Checked check(const merkle::Note& note, const merkle::VerifierKey& key) const;
};

// Each takes the text itself: a vkey, 64 hex digits or base64 of 32 octets, for several lines, each line one; or PEM.
std::expected<std::vector<merkle::PublicKey>, std::string> parse_keys(std::string_view text);
std::expected<merkle::VerifierKey, std::string> parse_witness(std::string_view text);
// A checkpoint note; of a `checkpoints` file, its last.
std::expected<HeldCheckpoint, std::string> parse_held(Bytes text);

}  // namespace chancery::verify
