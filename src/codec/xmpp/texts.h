#pragma once
// Readable text of a stanza, with where each run of it stands in the wire.
#include <string_view>

#include "codec/wire/xml.h"
#include "event/event.h"

namespace chancery::xmpp {

// All character data in `element` as one part; empty text gives no part. In XHTML (XEP-0071), elements that break a
// line become '\n', and `alt` and `title`, which a reader sees, are read too.
void add_text(TextPart::Role role, const xml::Element& element, Event& event);

// An attribute that is shown to a person (the reason of a direct invitation).
void add_attribute(TextPart::Role role, const xml::Element& element, const xml::Attribute& attribute, Event& event);

// Everything below `element` that a client might show: bodies, subjects and XHTML of messages carried inside.
void add_nested_texts(const xml::Element& element, Event& event);

// Whether there is character data other than white space in `element` or below.
bool has_text(const xml::Element& element);

}  // namespace chancery::xmpp
