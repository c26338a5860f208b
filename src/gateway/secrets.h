#pragma once
// Takes secrets out of what is recorded. The wire that travels keeps them; the record never has them.
#include <span>

#include "core/bytes.h"
#include "event/event.h"

namespace chancery::gateway {

// Overwrites each secret's octets with '*'. Spans beyond the wire are cut.
void mask_wire(Buffer& wire, std::span<const Secret> secrets);

// The same for texts that stand where a secret stands (NickServ IDENTIFY as a message). A segment is decoded text, so
// where its length differs from the wire's, all of it is masked.
void mask_texts(Event& event, std::span<const Secret> secrets);

}  // namespace chancery::gateway
