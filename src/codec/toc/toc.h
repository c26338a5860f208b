#pragma once
// TOC, AIM's protocol in text: FLAP frames with words inside. Read only: docs/protocols/toc.md.
#include "codec/codec.h"

namespace chancery::toc {

extern const Protocol kProtocol;

}  // namespace chancery::toc
