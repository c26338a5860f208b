#pragma once
// Test helper: RFC 6962 §2.1, §2.1.1 and §2.1.2 written down word for word, recursive and slow. It shares nothing with
// the code under test but SHA-256.
#include <bit>
#include <span>
#include <string>
#include <vector>

#include "core/encoding.h"
#include "merkle/hash.h"
#include "merkle/proof.h"

namespace chancery::merkle::reference {

using Leaves = std::span<const std::string>;

inline std::uint64_t k_of(std::uint64_t n) {
  std::uint64_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

inline Hash mth(Leaves d) {
  if (d.empty()) return sha256(Bytes{});
  if (d.size() == 1) return sha256(std::string(1, '\0') + d[0]);
  const auto k = k_of(d.size());
  const Hash left = mth(d.first(k)), right = mth(d.subspan(k));
  return sha256("\x01" + std::string{bytes_of(left)} + std::string{bytes_of(right)});
}

inline Proof path(std::uint64_t m, Leaves d) {
  if (d.size() == 1) return {};
  const auto k = k_of(d.size());
  Proof proof = m < k ? path(m, d.first(k)) : path(m - k, d.subspan(k));
  proof.push_back(m < k ? mth(d.subspan(k)) : mth(d.first(k)));
  return proof;
}

inline Proof subproof(std::uint64_t m, Leaves d, bool complete) {
  if (m == d.size()) return complete ? Proof{} : Proof{mth(d)};
  const auto k = k_of(d.size());
  Proof proof = m <= k ? subproof(m, d.first(k), complete) : subproof(m - k, d.subspan(k), false);
  proof.push_back(m <= k ? mth(d.subspan(k)) : mth(d.first(k)));
  return proof;
}

inline std::vector<std::string> leaves(std::size_t count) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back("leaf " + std::to_string(i));
  return result;
}

// Nodes straight from the leaves.
inline NodeReader nodes(std::vector<std::string> all) {
  return [all = std::move(all)](NodeId id) -> std::expected<Hash, std::error_code> {
    const std::uint64_t begin = id.index << id.level, count = std::uint64_t{1} << id.level;
    if (begin + count > all.size()) return std::unexpected(ProofError::missing_node);
    return mth(Leaves{all}.subspan(begin, count));
  };
}

// The eight leaves that Certificate Transparency's implementations test with.
inline std::vector<std::string> ct_leaves() {
  std::vector<std::string> result;
  for (const char* hex :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"})
    result.push_back(*from_hex(hex));
  return result;
}

}  // namespace chancery::merkle::reference
