#pragma once
// C2SP tlog-checkpoint v1: the text of a note that states a tree head, and Chancery's two extension lines
// (docs/formats/checkpoint.md).
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "core/time.h"
#include "merkle/note.h"
#include "merkle/proof.h"

namespace chancery::merkle {

struct TreeHead {
  std::uint64_t size = 0;
  Hash root{};
  bool operator==(const TreeHead&) const = default;
};

struct Checkpoint {
  std::string origin;
  TreeHead head;
  std::vector<std::string> extensions;  // without newlines, not empty

  Buffer text() const;
  static std::expected<Checkpoint, std::error_code> parse(Bytes text);  // the text of the note
  bool operator==(const Checkpoint&) const = default;
};

// "time <RFC 3339, UTC, microseconds>": when the signer signed. "previous <base64>": SHA-256 of the whole note that
// was published before, signatures included; 32 zero octets for a log's first.
struct Extensions {
  Instant time;
  Hash previous{};

  std::vector<std::string> lines() const;
  // Exactly these two lines in this order, each in its one spelling.
  static std::optional<Extensions> parse(const std::vector<std::string>& lines);
  bool operator==(const Extensions&) const = default;
};

// C2SP tlog-proof v1.
struct InclusionProof {
  std::optional<Buffer> extra;  // opaque, not authenticated
  std::uint64_t index = 0;
  Proof hashes;
  Buffer checkpoint;  // the signed note, verbatim

  Buffer encode() const;
  static std::expected<InclusionProof, std::error_code> parse(Bytes text);  // the checkpoint is not parsed
  bool operator==(const InclusionProof&) const = default;
};

// The body of C2SP tlog-witness's add-checkpoint; also what our own signer is asked, with an unsigned text.
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  Proof proof;        // at most 63 hashes
  Buffer checkpoint;  // verbatim

  Buffer encode() const;
  static std::expected<AddCheckpoint, std::error_code> parse(Bytes body);
  bool operator==(const AddCheckpoint&) const = default;
};

}  // namespace chancery::merkle
