#pragma once
// An open-addressing table from a hash to a chain of numbered things, oldest first; the things themselves, and their
// links, are the owner's. A look-up costs one cache line here, growing moves 16 octets an entry. Hashes must be
// unforeseeable to whoever chooses the keys.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chancery::gateway {

class Chains {
 public:
  using Number = std::uint32_t;
  struct Slot {
    std::uint64_t hash = 0;  // 0: free
    Number oldest = 0;
    Number youngest = 0;
  };

  // `is_same(oldest)`: whether that chain is the one that is meant; several may have one hash.
  template <class IsSame>
  Slot* find(std::uint64_t hash, IsSame is_same) {
    if (slots_.empty()) return nullptr;
    Slot& slot = slots_[place_of(hash, is_same)];
    return slot.hash == 0 ? nullptr : &slot;
  }

  // Puts `number` at the young end, in a new chain if there is none. Returns who was youngest before, or `number`.
  template <class IsSame>
  Number add(std::uint64_t hash, Number number, IsSame is_same) {
    if (2 * (used_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[place_of(hash, is_same)];
    if (slot.hash == 0) {
      slot = {hash, number, number};
      ++used_;
      return number;
    }
    const Number before = slot.youngest;
    slot.youngest = number;
    return before;
  }

  // Takes the oldest of the chain away; `next` is the one behind it (not looked at if it was the only one).
  template <class IsSame>
  void drop_oldest(std::uint64_t hash, Number next, IsSame is_same) {
    const std::size_t at = place_of(hash, is_same);
    if (slots_[at].oldest == slots_[at].youngest)
      erase(at);
    else
      slots_[at].oldest = next;
  }

  void prefetch(std::uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }

 private:
  template <class IsSame>
  std::size_t place_of(std::uint64_t hash, IsSame is_same) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (slots_[at].hash != 0 && (slots_[at].hash != hash || !is_same(slots_[at].oldest))) at = (at + 1) & mask;
    return at;
  }
  void grow();
  void erase(std::size_t slot);

  std::vector<Slot> slots_;  // a power of two; half of them free at least
  std::size_t used_ = 0;
};

}  // namespace chancery::gateway
