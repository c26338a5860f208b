#include "codec/xmpp/payload.h"

#include <algorithm>
#include <array>

#include "codec/xmpp/names.h"
#include "codec/xmpp/texts.h"

namespace chancery::xmpp {
namespace {

struct Known {
  std::string_view ns;
  std::string_view name;  // empty: any
  Payload payload;
};

// By size first: most of the names begin alike.
constexpr bool comes_before(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

constexpr auto kKnown = [] {
  std::array table{
      Known{ns::kXhtmlIm, "html", Payload::xhtml},
      Known{ns::kDelay, "delay", Payload::delay},
      Known{ns::kLegacyDelay, "x", Payload::delay},
      Known{ns::kCorrect, "replace", Payload::replace},
      Known{ns::kRetract1, "retract", Payload::retract},
      Known{ns::kFasten, "apply-to", Payload::fasten},
      Known{ns::kReactions, "reactions", Payload::reactions},
      Known{ns::kCarbons, "sent", Payload::carbon},
      Known{ns::kCarbons, "received", Payload::carbon},
      Known{ns::kCarbons, "private", Payload::silent},
      Known{ns::kArchive1, "result", Payload::archive},
      Known{ns::kArchive2, "result", Payload::archive},
      Known{ns::kOmemoLegacy, "encrypted", Payload::sealed},
      Known{ns::kOmemo1, "encrypted", Payload::sealed},
      Known{ns::kOmemo2, "encrypted", Payload::sealed},
      Known{ns::kOpenPgpLegacy, "x", Payload::sealed},
      Known{ns::kOpenPgp, "openpgp", Payload::sealed},
      Known{ns::kE2e, "e2e", Payload::sealed},
      Known{ns::kEncryption, "encryption", Payload::sealed},
      Known{ns::kOob, "x", Payload::oob},
      Known{ns::kSims, "media-sharing", Payload::sharing},
      Known{ns::kSfs, "file-sharing", Payload::sharing},
      Known{ns::kMucUser, "x", Payload::muc_user},
      Known{ns::kConference, "x", Payload::invitation},
      Known{ns::kAddresses, "addresses", Payload::addresses},
      Known{ns::kStanzaId, "origin-id", Payload::origin_id},
      Known{ns::kStanzaId, "stanza-id", Payload::stanza_id},
      Known{ns::kPubsubEvent, "event", Payload::pubsub},
      Known{"http://jabber.org/protocol/chatstates", "", Payload::silent},  // XEP-0085
      Known{"urn:xmpp:receipts", "", Payload::silent},                      // XEP-0184
      Known{"urn:xmpp:chat-markers:0", "", Payload::silent},                // XEP-0333
      Known{"urn:xmpp:hints", "", Payload::silent},                         // XEP-0334
      Known{"urn:xmpp:reference:0", "", Payload::silent},                   // XEP-0372
      Known{"urn:xmpp:fallback:0", "", Payload::silent},                    // XEP-0428
      Known{"urn:xmpp:feature-fallback:0", "", Payload::silent},
      Known{"urn:xmpp:reply:0", "", Payload::silent},              // XEP-0461
      Known{"urn:xmpp:attention:0", "", Payload::silent},          // XEP-0224
      Known{"urn:xmpp:occupant-id:0", "", Payload::silent},        // XEP-0421
      Known{"urn:xmpp:styling:0", "", Payload::silent},            // XEP-0393
      Known{"urn:xmpp:message-attaching:1", "", Payload::silent},  // XEP-0367
      Known{"urn:xmpp:jingle-message:0", "", Payload::silent},     // XEP-0353
      Known{"urn:xmpp:mam:tmp", "archived", Payload::silent},      // XEP-0313 v0.2, which ejabberd still adds
      Known{"jabber:x:event", "", Payload::silent},                // XEP-0022
  };
  std::ranges::sort(table, comes_before, &Known::ns);
  return table;
}();

// Chat states and the like are empty by their specifications; one that is not hides something.
Payload checked(Payload payload, const xml::Element& child) {
  const bool empty = payload == Payload::silent || payload == Payload::replace || payload == Payload::origin_id ||
                     payload == Payload::stanza_id || payload == Payload::addresses;
  return empty && has_text(child) ? Payload::unknown : payload;
}

}  // namespace

Payload payload_of(const xml::Element& child) {
  const std::string_view name = child.name();
  const std::string_view in = child.ns();
  if (in == ns::kClient) {
    if (name == "body") return Payload::body;
    if (name == "subject") return Payload::subject;
    if (name == "thread") return Payload::thread;
    if (name == "error") return Payload::error;
    return Payload::unknown;
  }
  for (const Known& known : std::ranges::equal_range(kKnown, in, comes_before, &Known::ns))
    if (known.name.empty() || known.name == name) return checked(known.payload, child);
  return Payload::unknown;
}

std::string_view seal_of(const xml::Element& child) {
  const std::string_view in = child.ns() == ns::kEncryption ? child.attribute("namespace") : child.ns();
  if (in == ns::kOmemoLegacy || in == ns::kOmemo1 || in == ns::kOmemo2) return "omemo";
  if (in == ns::kOpenPgpLegacy || in == ns::kOpenPgp) return "openpgp";
  if (in == ns::kE2e) return "smime";
  if (in == "urn:xmpp:otr:0") return "otr";
  const std::string_view name = child.attribute("name");  // XEP-0380 §3: a name to show for an unknown scheme
  return name.empty() ? in : name;
}

bool is_silent_pubsub(const xml::Element& event) {
  constexpr std::array<std::string_view, 10> kSilent{"eu.siacs.conversations.axolotl",
                                                     "http://jabber.org/protocol/tune",
                                                     "storage:bookmarks",
                                                     "urn:xmpp:avatar:data",
                                                     "urn:xmpp:avatar:metadata",
                                                     "urn:xmpp:bookmarks:1",
                                                     "urn:xmpp:mds:displayed:0",
                                                     "urn:xmpp:omemo:1",
                                                     "urn:xmpp:omemo:2",
                                                     "urn:xmpp:openpgp:0"};
  for (const xml::Element items : event.children())
    for (const xml::Element item : items.children())
      for (const xml::Element payload : item.children())
        if (!std::ranges::binary_search(kSilent, payload.ns()) && has_text(payload)) return false;
  return true;
}

bool stays_when_masked(Payload payload) {
  switch (payload) {
    case Payload::unknown:
    case Payload::carbon:  // forged: a trusted one was looked into
    case Payload::archive:
    case Payload::sealed:
    case Payload::oob:
    case Payload::sharing:
    case Payload::pubsub:
      return false;
    default:
      return true;
  }
}

}  // namespace chancery::xmpp
