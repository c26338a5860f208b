#pragma once
// What the text of a PRIVMSG or NOTICE is: words, an action, an offer of a file, something sealed, a CTCP request.
// https://modern.ircdocs.horse/ctcp.html, https://modern.ircdocs.horse/dcc.html
#include "codec/irc/line.h"
#include "event/event.h"

namespace chancery::irc {

// Fills kind, action, texts, files, seal and detail. False: a CTCP that carries nothing a person wrote (VERSION, a
// PING of digits), which is no event.
bool read_body(const Line& line, Span body, Event& into);

// TAGMSG, and the client-only tags of a message: reaction, reply, and whatever other tag carries text.
// False: nothing in them is an event of its own (typing).
bool read_tags(const Line& line, std::span<const Tag> tags, Event& into, bool is_tagmsg);

}  // namespace chancery::irc
