#include "policy/condition.h"

#include <algorithm>

namespace chancery::policy {
namespace {

std::string_view speaker_of(const Subject& subject) {
  return subject.event.from.empty() && subject.from == Side::client ? subject.account
                                                                    : std::string_view{subject.event.from};
}

bool lists(const std::vector<std::string>& words, std::string_view word) {
  return words.empty() || std::ranges::find(words, word) != words.end();
}

bool speaks(const AddressSet& set, const Speaker& speaker) {
  return set.matches(speaker.address) || (!speaker.device.empty() && set.matches(speaker.device));
}

}  // namespace

Speaker::Speaker(const Subject& subject)
    : address(speaker_of(subject), casemap_of(subject.protocol)),
      device(subject.event.from_device, casemap_of(subject.protocol)) {}

Condition::Condition(const When& when, const Groups& groups, std::string_view file)
    : direction_(when.direction),
      from_(when.from, groups, file),
      to_(when.to, groups, file),
      rooms_(when.rooms, groups, file),
      protocols_(when.protocols),
      networks_(when.networks),
      until_(when.until) {
  for (std::size_t i = 0; i < when.between.size() && i < between_.size(); ++i)
    between_[i] = AddressSet({when.between[i]}, groups, file);
}

bool Condition::holds_for(const Subject& subject, const Speaker& speaker) const {
  if (until_ && subject.now >= *until_) return false;
  if (direction_ != Direction::any && (direction_ == Direction::out) != (subject.from == Side::client)) return false;
  if (!lists(protocols_, subject.protocol) || !lists(networks_, subject.network)) return false;
  if (!from_.empty() && !speaks(from_, speaker)) return false;
  if (rooms_.empty()) return true;
  return !subject.event.room.empty() && rooms_.matches(Address{subject.event.room, casemap_of(subject.protocol)});
}

bool Condition::holds_for(const Speaker& speaker, const Address& receiver) const {
  if (!to_.empty() && !to_.matches(receiver)) return false;
  if (between_[0].empty()) return true;
  return (speaks(between_[0], speaker) && between_[1].matches(receiver)) ||
         (speaks(between_[1], speaker) && between_[0].matches(receiver));
}

bool Condition::holds_for_any(const Subject& subject, const Speaker& speaker) const {
  if (!holds_for(subject, speaker)) return false;
  if (!needs_receiver()) return true;
  bool found = false;
  for_each_receiver(subject, [&](const Address& receiver) {
    found = holds_for(speaker, receiver);
    return !found;
  });
  return found;
}

}  // namespace chancery::policy
