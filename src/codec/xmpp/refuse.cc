#include "codec/xmpp/names.h"
#include "codec/xmpp/rewrite.h"

namespace chancery::xmpp {
namespace {

void attribute(std::string_view name, std::string_view value, Buffer& out) {
  if (value.empty()) return;
  out.append(" ").append(name).append("='");
  xml::escape_to(value, out);
  out.append("'");
}

constexpr std::string_view kDefaultNotice = "This was not delivered: it is against the rules of the organisation.";

}  // namespace

// RFC 6120 §8.3.3.12 policy-violation. The error comes from where the stanza went: the other person, or the room.
Buffer refusal(const xml::Element& stanza, std::string_view own, std::string_view notice) {
  const std::string_view type = stanza.attribute("type");
  // RFC 6120 §8.3.1: an error is never answered by an error; §8.2.3: nor is a result.
  if (type == "error" || type == "result") return {};
  Buffer out{"<"};
  out.append(stanza.name()).append(" xmlns='jabber:client' type='error'");
  attribute("from", stanza.attribute("to"), out);
  attribute("to", own, out);
  attribute("id", stanza.attribute("id"), out);
  out.append("><error type='modify'><policy-violation xmlns='").append(ns::kStanzaErrors);
  out.append("'/><text xmlns='").append(ns::kStanzaErrors).append("' xml:lang='en'>");
  xml::escape_to(notice.empty() ? kDefaultNotice : notice, out);
  out.append("</text></error></").append(stanza.name()).append(">");
  return out;
}

// RFC 6120 §8.3.3.19. Says no more than a client that does not know the payload would.
Buffer unavailable(const xml::Element& iq) {
  const std::string_view type = iq.attribute("type");
  if (type != "get" && type != "set") return {};
  Buffer out{"<iq xmlns='jabber:client' type='error'"};
  attribute("to", iq.attribute("from"), out);
  attribute("id", iq.attribute("id"), out);
  out.append("><error type='cancel'><service-unavailable xmlns='").append(ns::kStanzaErrors).append("'/></error></iq>");
  return out;
}

}  // namespace chancery::xmpp
