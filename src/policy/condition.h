#pragma once
// A rule's `when`, compiled.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "policy/address.h"
#include "policy/stage.h"
#include "policy/text.h"

namespace chancery::policy {

// Who speaks in a subject's event, ready to be compared. Borrows from the subject.
struct Speaker {
  explicit Speaker(const Subject& subject);
  Address address;  // the event's `from`; before a client's own address is known, the session's
  Address device;   // full JID, or nick!user@host
};

class Condition {
 public:
  Condition() = default;
  Condition(const When& when, const Groups& groups, std::string_view file);

  // All that does not depend on a receiver.
  bool holds_for(const Subject& subject, const Speaker& speaker) const;
  // The rest, for one receiver. Only asked if `needs_receiver`.
  bool needs_receiver() const { return !to_.empty() || !between_[0].empty(); }
  bool holds_for(const Speaker& speaker, const Address& receiver) const;

  // For stages that do not judge receiver by receiver: true if it holds for any of them.
  bool holds_for_any(const Subject& subject, const Speaker& speaker) const;

 private:
  Direction direction_ = Direction::any;
  AddressSet from_, to_, rooms_;
  std::array<AddressSet, 2> between_;
  std::vector<std::string> protocols_, networks_;
  std::optional<Instant> until_;
};

// Calls `each(Address)` for every receiver of the event until it returns false: `to`, and in a room whoever is known
// to be present, the speaker left out.
template <class Each>
void for_each_receiver(const Subject& subject, Each each) {
  const auto& event = subject.event;
  const auto casemap = casemap_of(subject.protocol);
  for (const auto& receiver : event.to)
    if (!each(Address{receiver, casemap})) return;
  if (event.scope != Scope::room) return;
  for (const auto& member : event.present) {
    if (member == event.from || member == event.from_device || member == subject.account) continue;
    if (!each(Address{member, casemap})) return;
  }
}

}  // namespace chancery::policy
