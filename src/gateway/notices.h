#pragma once
// Which notices were shown, and when. Shown means: written to the user's connection and recorded (Kind::notice_shown).
// Rebuilt at start from those records.
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/time.h"
#include "policy/stage.h"

namespace chancery::gateway {

class Notices {
 public:
  void shown(std::string key, Instant when) { shown_[std::move(key)] = when; }
  std::optional<Instant> when(const std::string& key) const {
    const auto found = shown_.find(key);
    if (found == shown_.end()) return std::nullopt;
    return found->second;
  }

  // What a stage asks: "notice.shown:<key>". The answer is the time (RFC 3339), or "no". To any other
  // question the answer is empty: this gateway does not know.
  std::string answer(std::string_view query) const;

  const std::unordered_map<std::string, Instant>& all() const { return shown_; }

 private:
  std::unordered_map<std::string, Instant> shown_;
};

}  // namespace chancery::gateway
