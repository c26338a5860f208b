#pragma once
// Texts: their encoding and Yahoo's own markup.
#include <string>

#include "codec/codec.h"
#include "codec/ymsg/packet.h"

namespace chancery::ymsg {

// Key 97 = 1 says UTF-8; without it clients write what their system uses.
std::string decoded(Bytes octets);

// Without ESC[…m and the tags for fonts, colours and fading; everything else is text.
std::string without_markup(const std::string& text);

// Adds `source`, a value of `unit.wire`, as what was said; and as it was written where markup was in it.
void add_text(Event& event, const Unit& unit, Bytes source);

}  // namespace chancery::ymsg
