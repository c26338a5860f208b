#pragma once
// IRC: RFC 1459, RFC 2812, https://modern.ircdocs.horse and IRCv3. What is read, what is rewritten and what is not
// covered: docs/protocols/irc.md.
#include "codec/codec.h"

namespace chancery::irc {

extern const Protocol kProtocol;

}  // namespace chancery::irc
