#pragma once
// MSNP, the protocol of MSN and Windows Live Messenger, versions 2 to 18: notification server and switchboard. Read
// only. What is read and what is not covered: docs/protocols/msnp.md.
//
// MSN's HTTP gateway (POST /gateway/gateway.dll) carries the same octets as bodies of requests and responses: whoever
// takes HTTP apart feeds the bodies of one session, in order, as the client's and the server's stream.
#include "codec/codec.h"

namespace chancery::msnp {

extern const Protocol kProtocol;

}  // namespace chancery::msnp
