#pragma once
// A record with its proof, to be checked by someone who does not have the archive; docs/formats/bundle.md.
#include <expected>
#include <optional>
#include <string>

#include "archive/verify/anchors.h"
#include "archive/verify/report.h"

namespace chancery::verify {

inline constexpr std::size_t kBundleSizeMax = 16U << 20;  // octets

// The record itself, opened: what its leaf commits to.
struct Disclosed {
  Buffer record;  // canonical CBOR
  Hash salt{};
  bool operator==(const Disclosed&) const = default;
};

struct Bundle {
  Buffer leaf;                         // 100 octets
  std::optional<Disclosed> disclosed;  // without it, the bundle shows that a record exists, and when, not what it says
  merkle::InclusionProof proof;        // its checkpoint is the log's, cosignatures included
  Buffer keys;                         // the log's vkeys, one a line, as its archive has them; no anchor

  Buffer encode() const;
  static std::expected<Bundle, std::error_code> parse(Bytes text);
  bool operator==(const Bundle&) const = default;
};

// As verify_archive, for one record. --since helps only when it is of the bundle's own tree size.
Report verify_bundle(Bytes text, const Anchors& anchors);

}  // namespace chancery::verify
