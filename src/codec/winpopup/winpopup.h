#pragma once
// WinPopup and the Windows Messenger service: DCE/RPC over UDP, the mailslot \MAILSLOT\MESSNGR over NetBIOS datagrams,
// and SMB's message commands over a NetBIOS session. Read only: docs/protocols/winpopup.md.
#include "codec/codec.h"

namespace chancery::winpopup {

extern const Protocol kProtocol;

}  // namespace chancery::winpopup
