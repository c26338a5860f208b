#pragma once
// A fast 64-bit hash whose values a peer cannot foresee without the key. For small tables of what was seen; not a MAC.
#include <cstdint>
#include <cstring>
#include <string_view>

namespace chancery::xmpp {

class KeyedHash {
 public:
  explicit KeyedHash(std::uint64_t key) : key_(mix(key) | 1), state_(mix(key ^ kOdd)) {}

  // Parts are kept apart: add("a"), add("b") differs from add("ab").
  void add(std::string_view part) {
    const std::size_t size = part.size();
    for (; part.size() >= sizeof(std::uint64_t); part.remove_prefix(sizeof(std::uint64_t))) {
      std::uint64_t word;
      std::memcpy(&word, part.data(), sizeof word);
      state_ = fold(state_ ^ word, key_) + kOdd;
    }
    std::uint64_t tail = 0;
    if (!part.empty()) std::memcpy(&tail, part.data(), part.size());
    state_ = mix(fold(state_ ^ tail, key_) + size);
  }
  std::uint64_t value() const { return mix(state_ + key_); }

 private:
  static constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;

  // Both halves of the product: a word costs one multiplication.
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint64_t mix(std::uint64_t v) {  // the finaliser of SplitMix64
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9ULL;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebULL;
    return v ^ (v >> 31);
  }
  std::uint64_t key_;
  std::uint64_t state_;
};

}  // namespace chancery::xmpp
