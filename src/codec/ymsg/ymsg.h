#pragma once
// YMSG, the protocol of Yahoo! Messenger, versions 9 to 19. Read only. What is read and what is not covered:
// docs/protocols/ymsg.md.
//
// Yahoo's HTTP gateway (POST /notify) carries the same packets as bodies: whoever takes HTTP apart feeds the bodies of
// one session, in order, as the client's and the server's stream.
#include "codec/codec.h"

namespace chancery::ymsg {

extern const Protocol kProtocol;

}  // namespace chancery::ymsg
