#pragma once
// A bounded map that forgets what was not used for longest, roughly and in constant time: two generations; when the
// young one is full it becomes the old one, and what was in the old one is gone. What is found in the old one is made
// young again.
#include <cstddef>
#include <functional>
#include <unordered_map>
#include <utility>

namespace chancery::sensor {

template <class Key, class Value, class Hash = std::hash<Key>>
class AgingMap {
 public:
  // At most `entries_max` entries.
  explicit AgingMap(std::size_t entries_max) : half_(entries_max / 2) {}

  // Null: unknown. Valid until the next call of a member that is not const.
  Value* find(const Key& key) {
    if (const auto at = young_.find(key); at != young_.end()) return &at->second;
    const auto at = old_.find(key);
    if (at == old_.end()) return nullptr;
    Value value = std::move(at->second);
    old_.erase(at);
    return &add(key, std::move(value));
  }
  // What is there, or a new one.
  Value& at(const Key& key) {
    if (Value* found = find(key)) return *found;
    return add(key, Value{});
  }
  std::size_t size() const { return young_.size() + old_.size(); }

 private:
  Value& add(const Key& key, Value value) {
    if (young_.size() >= half_) {
      old_ = std::move(young_);
      young_.clear();
    }
    return young_.insert_or_assign(key, std::move(value)).first->second;
  }

  std::size_t half_;
  std::unordered_map<Key, Value, Hash> young_, old_;
};

}  // namespace chancery::sensor
