#include <algorithm>
#include <expected>
#include <optional>
#include <utility>

#include "codec/xmpp/events.h"
#include "codec/xmpp/jid.h"
#include "codec/xmpp/keyed_hash.h"
#include "codec/xmpp/names.h"
#include "codec/xmpp/payload.h"
#include "codec/xmpp/texts.h"

namespace chancery::xmpp {
namespace {

// A message as one person sent it, perhaps unwrapped from a carbon copy or an archive's answer.
struct Letter {
  Side side = Side::client;
  xml::Element message;
  Copy copy = Copy::none;
  std::optional<Instant> stated;
  bool in_room = false;
};

// What its children are. Bodies and other texts go straight into the event.
struct Content {
  bool body = false;
  xml::Element subject, error, delay, replace, retraction, reactions, oob, sharing, muc_user, addresses, stanza_id;
  xml::Element unread;  // the first payload with text in it that no specification known here explains
  std::string_view seal;
};

std::optional<Instant> stamp_of(const xml::Element& delay) {
  const std::string_view stamp = delay.attribute("stamp");
  if (delay.ns() != ns::kLegacyDelay) return parse_rfc3339(stamp);
  // XEP-0091 §2: CCYYMMDDThh:mm:ss, in UTC.
  if (stamp.size() < 17) return std::nullopt;
  std::string iso{stamp.substr(0, 4)};
  iso.append("-").append(stamp.substr(4, 2)).append("-").append(stamp.substr(6, 11)).append("Z");
  return parse_rfc3339(iso);
}

xml::Element forwarded_message(const xml::Element& wrapper) {
  return wrapper.child("forwarded", ns::kForward).child("message", ns::kClient);
}

// XEP-0280 §11: only the user's own bare JID may send carbons; anything else is a forgery, and stays a message whose
// texts are those of the forged copy.
bool is_own_carbon(const Session& session, const xml::Element& message) {
  const std::string_view from = message.attribute("from");
  if (from.empty()) return true;
  return !session.own.empty() && resource_part(from).empty() && normal_bare(from) == session.own;
}

// XEP-0313 §4.2: a result counts only as part of a query that this client made and that is not yet answered.
bool is_asked_result(const Session& session, const xml::Element& message, const xml::Element& result) {
  const std::string_view from = message.attribute("from");
  if (!resource_part(from).empty()) return false;
  const std::string archive = from.empty() ? session.own : normal_bare(from);
  return std::ranges::any_of(session.queries, [&](const ArchiveQuery& query) {
    return query.archive == archive && query.query_id == result.attribute("queryid");
  });
}

Letter unwrap(const Session& session, Side side, const xml::Element& message) {
  Letter letter;
  letter.side = side;
  letter.message = message;
  letter.in_room = message.attribute("type") == "groupchat";
  if (side == Side::client) return letter;
  for (const xml::Element child : message.children()) {
    const Payload payload = payload_of(child);
    if (payload == Payload::carbon && is_own_carbon(session, message))
      letter.copy = Copy::carbon;
    else if (payload == Payload::archive && is_asked_result(session, message, child))
      letter.copy = Copy::archive;
    else
      continue;
    if (const xml::Element inner = forwarded_message(child)) {
      letter.message = inner;
      letter.in_room = inner.attribute("type") == "groupchat";
      const xml::Element delay = child.child("forwarded", ns::kForward).child("delay", ns::kDelay);
      if (delay) letter.stated = stamp_of(delay);
      return letter;
    }
    letter.copy = Copy::none;
  }
  return letter;
}

xml::Element retraction_of(const xml::Element& child, Payload payload) {
  if (payload == Payload::retract) return child;
  const bool retracts =
      child.child("retract", ns::kRetract0) || child.child("moderated", ns::kModerate0).child("retract", ns::kRetract0);
  return retracts ? child : xml::Element{};
}

void note(xml::Element& place, const xml::Element& child) {
  if (!place) place = child;
}

void read_invitation(const xml::Element& muc_user, Event& event) {
  for (const xml::Element child : muc_user.children()) {
    if (child.name() != "invite" && child.name() != "decline") continue;
    if (const xml::Element reason = child.child("reason", ns::kMucUser))
      add_text(TextPart::Role::reason, reason, event);
  }
}

void read_child(const xml::Element& child, Content& content, Event& event) {
  const Payload payload = payload_of(child);
  switch (payload) {
    case Payload::body:
      content.body = true;
      return add_text(TextPart::Role::body, child, event);
    case Payload::subject:
      note(content.subject, child);
      return add_text(TextPart::Role::subject, child, event);
    case Payload::xhtml:
      return add_text(TextPart::Role::xhtml, child, event);
    case Payload::thread:
      event.thread = child.text();
      return;
    case Payload::error:
      return note(content.error, child);
    case Payload::delay:
      return note(content.delay, child);
    case Payload::replace:
      return note(content.replace, child);
    case Payload::retract:
    case Payload::fasten:
      if (const xml::Element found = retraction_of(child, payload)) note(content.retraction, found);
      return add_nested_texts(child, event);
    case Payload::reactions:
      note(content.reactions, child);
      for (const xml::Element reaction : child.children()) add_text(TextPart::Role::body, reaction, event);
      return;
    case Payload::sealed:
      if (content.seal.empty() || child.ns() != ns::kEncryption) content.seal = seal_of(child);
      return;
    case Payload::oob:
      return note(content.oob, child);
    case Payload::sharing:
      return note(content.sharing, child);
    case Payload::muc_user:
      note(content.muc_user, child);
      return read_invitation(child, event);
    case Payload::invitation:
      return add_attribute(TextPart::Role::reason, child, child.find_attribute("reason"), event);
    case Payload::addresses:
      return note(content.addresses, child);
    case Payload::origin_id:
      event.origin_id = child.attribute("id");
      return;
    case Payload::pubsub:
      if (!is_silent_pubsub(child)) note(content.unread, child);
      return;
    case Payload::carbon:  // not trusted, or it would have been unwrapped
    case Payload::archive:
    case Payload::unknown:
      if (has_text(child)) note(content.unread, child);
      return add_nested_texts(child, event);
    case Payload::stanza_id:
      return note(content.stanza_id, child);
    case Payload::silent:
      return;
  }
}

bool is_otr(const Event& event) {
  return std::ranges::any_of(event.texts, [](const TextPart& part) {
    return part.role == TextPart::Role::body && part.text.starts_with("?OTR");
  });
}

std::string joined_reactions(const xml::Element& reactions) {
  std::string all;
  for (const xml::Element reaction : reactions.children()) {
    if (!all.empty()) all.push_back(' ');
    all.append(reaction.text());
  }
  return all;
}

// The kind by what weighs most. nullopt: nothing that one person says to another.
std::optional<Kind> kind_of(const Content& content, bool in_room, const Event& event) {
  if (!content.seal.empty() || is_otr(event)) return Kind::sealed;
  if (content.retraction) return Kind::retraction;
  if (content.reactions) return Kind::reaction;
  if (content.replace && !event.texts.empty()) return Kind::edit;
  if (in_room && content.subject && !content.body) return Kind::topic;  // XEP-0045 §8.1
  if (!event.texts.empty()) return Kind::message;
  if (content.unread) return Kind::opaque;
  return std::nullopt;
}

void set_reference(const Content& content, Event& event) {
  if (content.retraction)
    event.ref = content.retraction.attribute("id");
  else if (content.reactions)
    event.ref = content.reactions.attribute("id");
  else if (content.replace)
    event.ref = content.replace.attribute("id");
}

void describe(const Content& content, Event& event) {
  if (event.kind == Kind::sealed) event.seal = content.seal.empty() ? "otr" : content.seal;
  if (event.kind == Kind::reaction) event.detail = joined_reactions(content.reactions);
  if (event.kind == Kind::opaque) {
    event.detail = "text in <";
    event.detail.append(content.unread.name()).append(" xmlns='").append(content.unread.ns()).append("'>");
  }
  if (event.kind == Kind::message && content.error) event.detail = "error";
  if (event.kind == Kind::topic && event.texts.empty()) event.texts.push_back({TextPart::Role::subject, {}, {}, {}});
  event.action = std::ranges::any_of(event.texts, [](const TextPart& part) {  // XEP-0245
    return part.role == TextPart::Role::body && part.text.starts_with("/me ");
  });
}

// XEP-0203 §4: a stamp is worth what its author is worth. Offline storage is the account's own server or address.
bool is_own_delay(const Session& session, const xml::Element& delay) {
  const std::string_view by = delay.attribute("from");
  if (by.empty() || session.own.empty()) return true;
  const std::string author = normal_jid(by);
  return author == session.own || author == domain_part(session.own);
}

void set_copy(const Session& session, const Letter& letter, const Content& content, Event& event) {
  event.copy = letter.copy;
  event.stated_time = letter.stated;
  if (content.delay && !event.stated_time) event.stated_time = stamp_of(content.delay);
  if (letter.side == Side::client || event.copy != Copy::none) return;
  if (letter.in_room) {
    const Room* room = session.rooms->find_joined(event.room);
    const bool history = room == nullptr || !room->history_over;
    // XEP-0045 §7.2.13: history comes between our own presence and the subject; later stamps prove nothing.
    if (history && (content.delay || event.kind == Kind::topic))
      event.copy = Copy::delayed;
    else if (room != nullptr && event.from == event.room + '/' + room->own_nick)
      event.copy = Copy::echo;
  } else if (content.delay && event.stated_time && is_own_delay(session, content.delay)) {
    event.copy = Copy::delayed;
  }
}

// An invitation sent through the room is between two people (XEP-0045 §7.8.2).
void set_invitation_parties(const Letter& letter, const Content& content, Event& event) {
  if (letter.in_room) return;
  for (const xml::Element child : content.muc_user.children()) {
    if (child.name() != "invite" && child.name() != "decline") continue;
    if (const std::string_view from = child.attribute("from"); letter.side == Side::server && !from.empty()) {
      event.from = normal_bare(from);
      event.from_device.clear();
    }
    if (const std::string_view to = child.attribute("to"); letter.side == Side::client && !to.empty())
      event.to = {normal_bare(to)};
    event.detail = child.name() == "invite" ? "invitation" : "invitation declined";
    return;
  }
}

// XEP-0033: one stanza to many, by way of a service.
std::error_code set_addressees(const Session& session, const Letter& letter, const Content& content, Event& event) {
  if (letter.side != Side::client || !content.addresses) return {};
  std::vector<std::string> to;
  for (const xml::Element address : content.addresses.children()) {
    const std::string_view type = address.attribute("type");
    if (type != "to" && type != "cc" && type != "bcc") continue;
    if (to.size() >= session.limits.targets_max) return CodecError::too_many;
    to.push_back(normal_bare(address.attribute("jid")));
  }
  if (!to.empty()) event.to = std::move(to);
  return {};
}

std::uint64_t digest_of(const Session& session, std::string_view peer, const Event& event) {
  KeyedHash hash{session.sent->key};
  hash.add(bare_part(peer));
  hash.add(event.id);
  for (const TextPart& part : event.texts) hash.add(part.text);
  return hash.value();
}

// RFC 6120 §8.3.1: an error may return what was sent. Only what this client did send, word for word, is a bounce;
// an "error" with other text is a message in disguise.
bool is_bounce(const Session& session, const xml::Element& message, const Event& event) {
  if (event.texts.empty()) return true;
  const std::uint64_t digest = digest_of(session, normal_bare(message.attribute("from")), event);
  return std::ranges::find(session.sent->digests, digest) != session.sent->digests.end();
}

// The room's subject ends its history, whatever it says (XEP-0045 §7.2.15). True: it did so now, and it is empty.
bool is_empty_first_subject(Session& session, const Letter& letter, const Content& content, const Event& event) {
  if (!letter.in_room || letter.side == Side::client || letter.copy != Copy::none) return false;
  if (!content.subject || content.body) return false;
  Room* room = session.rooms->find(event.room);
  if (room == nullptr || room->history_over) return false;
  room->history_over = true;
  return event.texts.empty();
}

// A message whose text is nothing but the address of a file (XEP-0363 §7 with XEP-0066) is the offer itself.
// Otherwise the offer is an event of its own beside the message.
bool is_only_link(const Content& content, const Event& event) {
  if (event.kind != Kind::message || !content.oob) return false;
  const std::string url = content.oob.child("url", ns::kOob).text();
  return std::ranges::all_of(event.texts, [&](const TextPart& part) { return part.text == url; });
}

void add_linked_file(const xml::Element& oob, Event& offer) {
  File file;
  file.method = offer.texts.empty() ? "oob" : "http-upload";
  file.url = oob.child("url", ns::kOob).text();
  offer.files.push_back(std::move(file));
}

Event file_offer(const xml::Element& message, Event&& event) {
  Event offer = std::move(event);
  offer.kind = Kind::file_offer;
  for (const xml::Element child : message.children())
    if (payload_of(child) == Payload::oob) add_linked_file(child, offer);
  for (const xml::Element child : message.children()) {
    if (payload_of(child) == Payload::sharing) read_shared_files(child, offer);
    if (payload_of(child) != Payload::oob) continue;
    if (const xml::Element text = child.child("desc", ns::kOob)) add_text(TextPart::Role::body, text, offer);
  }
  return offer;
}

// A file that came with the message, whose event is the last one.
void add_offer(const Letter& letter, const Content& content, std::optional<Kind> kind, Unit& unit) {
  if (!content.oob && !content.sharing) return;
  Event& event = unit.events.back();
  if (kind && !is_only_link(content, event)) {
    Event offer = event;
    offer.texts.clear();
    unit.events.push_back(file_offer(letter.message, std::move(offer)));
  } else {
    event = file_offer(letter.message, std::move(event));
  }
}

void set_ids(const Session& session, const Letter& letter, const Content& content, Event& event) {
  event.id = letter.message.attribute("id");
  if (event.origin_id.empty() && content.stanza_id) {  // XEP-0359 §5: only the assigning entity's own is believed
    const std::string by = normal_bare(content.stanza_id.attribute("by"));
    if (by == session.own || by == event.room) event.origin_id = content.stanza_id.attribute("id");
  }
  if (event.origin_id == event.id) event.origin_id.clear();
}

// False: it says nothing to record.
std::expected<bool, std::error_code> read_event(Session& session, const Letter& letter, Content& content,
                                                std::optional<Kind>& kind, Event& event) {
  for (const xml::Element child : letter.message.children()) read_child(child, content, event);
  kind = kind_of(content, letter.in_room, event);
  if (!kind && !content.oob && !content.sharing) return false;
  event.kind = kind.value_or(Kind::message);

  set_parties(session, letter.side, letter.message.attribute("from"), letter.message.attribute("to"), letter.in_room,
              event);
  set_ids(session, letter, content, event);
  if (letter.message.attribute("type") == "error" && is_bounce(session, letter.message, event)) return false;
  set_reference(content, event);
  set_copy(session, letter, content, event);
  if (is_empty_first_subject(session, letter, content, event)) return false;
  set_invitation_parties(letter, content, event);
  if (const auto error = set_addressees(session, letter, content, event)) return std::unexpected(error);
  describe(content, event);
  return true;
}

}  // namespace

std::uint64_t digest_of_sent(const Session& session, const Event& event) {
  if (event.texts.empty() || (event.room.empty() && event.to.empty())) return 0;
  return digest_of(session, event.room.empty() ? event.to.front() : event.room, event);
}

void remember_sent(Session& session, std::uint64_t digest) {
  if (digest == 0) return;
  std::vector<std::uint64_t>& digests = session.sent->digests;
  if (digests.size() >= Session::kSentMax) digests.erase(digests.begin());
  digests.push_back(digest);
}

std::error_code read_message(Session& session, Side side, const xml::Element& message, Unit& unit) {
  const Letter letter = unwrap(session, side, message);
  Content content;
  std::optional<Kind> kind;
  // Filled where it stays: an event is large, and moving one costs about as much as reading a short message.
  const auto kept = read_event(session, letter, content, kind, unit.events.emplace_back());
  if (kept.value_or(false)) {
    add_offer(letter, content, kind, unit);
    return {};
  }
  unit.events.pop_back();
  return kept ? std::error_code{} : kept.error();
}

}  // namespace chancery::xmpp
