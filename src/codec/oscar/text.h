#pragma once
// Texts of messages: their encodings, and the HTML that AIM clients write.
#include <cstdint>
#include <string>

#include "codec/codec.h"
#include "core/bytes.h"

namespace chancery::oscar {

// ICBM's number of an encoding: 0 ASCII (in truth: what the client uses), 2 UTF-16BE, 3 ISO-8859-1.
std::string from_icbm_encoding(Bytes octets, std::uint16_t encoding);
// Its name, as chat rooms and rendezvous write it: "us-ascii", "unicode-2-0", "utf-8", "iso-8859-1".
std::string from_named_encoding(Bytes octets, Bytes encoding);

// Adds what was said: without markup as the body, and as it was written where that differs. `source` is where it
// stands in `unit.wire`; empty when it stands in several pieces.
void add_text(Event& event, const Unit& unit, Bytes source, std::string text);

// Of ICQ's own messages: up to the zero that ends it; 0xfe between its fields (a link and its address) is a line break.
void add_icq_text(Event& event, const Unit& unit, Bytes source);

}  // namespace chancery::oscar
