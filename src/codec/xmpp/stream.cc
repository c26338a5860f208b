// The decode half: octets to units.
#include <algorithm>

#include "codec/xmpp/events.h"
#include "codec/xmpp/jid.h"
#include "codec/xmpp/keyed_hash.h"
#include "codec/xmpp/names.h"
#include "codec/xmpp/texts.h"
#include "codec/xmpp/xmpp_codec.h"

namespace chancery::xmpp {
namespace {

Phase first_phase(const Start& start, Start::Tls tls) {
  if (start.mode == Start::Mode::midstream) return Phase::resync;
  return tls == Start::Tls::starttls && !start.passive ? Phase::clear_header : Phase::header;
}

std::uint64_t key_of(std::string_view nonce) {
  KeyedHash hash{0};
  hash.add(nonce);
  return hash.value();
}

bool is_clear(Phase phase) {
  return phase == Phase::clear_header || phase == Phase::clear_features || phase == Phase::clear_answer;
}

// Octets that come are thrown away.
bool is_deaf(Phase phase) { return phase == Phase::tls_wait || phase == Phase::lost || phase == Phase::closed; }

bool is_stanza_name(std::string_view name) { return name == "message" || name == "presence" || name == "iq"; }

void set(Unit& unit, Action action) { unit.action = static_cast<std::uint32_t>(action); }

}  // namespace

XmppCodec::XmppCodec(const Limits& limits, const Start& start)
    : limits_(limits),
      client_host_(start.client_host),
      nonce_(start.nonce),
      session_(limits_),
      client_(limits_, first_phase(start, start.client_tls)),
      server_(limits_, first_phase(start, start.server_tls)),
      passive_(start.passive),
      server_tls_(start.server_tls),
      server_ready_(start.server_tls != Start::Tls::starttls),
      store_(static_cast<ResumptionStore*>(start.shared)) {
  session_.record_presence = start.record_presence;
  session_.midstream = start.mode == Start::Mode::midstream;
  session_.sent->key = key_of(start.nonce);
  if (!session_.midstream) session_.sign_in = std::make_unique<SignIn>();
}

std::error_code XmppCodec::feed(Side from, Bytes in, Instant now, Boundary, std::vector<Unit>& out) {
  now_ = now;
  Leg& leg = this->leg(from);
  if (leg.error) return leg.error;
  if (leg.phase == Phase::resync || leg.unproven > 0) return feed_joining(from, in, out);
  if (is_deaf(leg.phase)) return {};
  leg.error = scan(from, in, out);
  return leg.error;
}

std::error_code XmppCodec::scan(Side from, Bytes in, std::vector<Unit>& out) {
  Leg& leg = this->leg(from);
  leg.scanner.feed(in);
  while (const auto item = leg.scanner.next()) {
    Unit unit;
    unit.from = from;
    unit.wire = item->wire;
    if (const auto error = read_item(from, *item, unit)) return error;
    out.push_back(std::move(unit));
    restart_where_due();
    // RFC 6120 §5.4.3.3: octets that came in clear behind the request for TLS are not of the stream to come.
    if (is_deaf(leg.phase)) {
      leg.scanner.discard_and_restart();
      return {};
    }
  }
  return leg.scanner.error();
}

// RFC 6120 §6.4.6: after SASL's success both sides open a new stream.
void XmppCodec::restart_where_due() {
  if (!restart_) return;
  restart_ = false;
  for (Leg* leg : {&client_, &server_}) {
    leg->scanner.restart();
    if (leg->phase == Phase::open) leg->phase = Phase::header;
  }
}

std::error_code XmppCodec::read_item(Side from, const xml::Item& item, Unit& unit) {
  Leg& leg = this->leg(from);
  switch (item.kind) {
    case xml::Item::Kind::declaration:
    case xml::Item::Kind::space:
      set(unit, is_clear(leg.phase) ? Action::drop : Action::pass);
      return {};
    case xml::Item::Kind::open:
      return read_open(from, item.element, unit);
    case xml::Item::Kind::stanza:
      return is_clear(leg.phase) ? read_clear_element(from, item.element, unit)
                                 : read_element(from, item.element, unit);
    case xml::Item::Kind::close:
      // RFC 6120 §4.4: nothing comes after it. Some clients still acknowledge (XEP-0198), which is for nobody.
      leg.phase = Phase::closed;
      set(unit, Action::close_stream);
      return {};
  }
  return {};
}

std::error_code XmppCodec::read_element(Side from, const xml::Element& element, Unit& unit) {
  if (is_stanza_name(element.name())) {
    // The same name in another namespace is no stanza, but a lax receiver might take it for one.
    if (element.ns() != ns::kClient) return CodecError::out_of_order;
    return read_stanza(from, element, unit);
  }
  if (read_negotiation(from, element, unit)) return {};
  read_unknown(from, element, unit);
  return {};
}

std::error_code XmppCodec::read_stanza(Side from, const xml::Element& element, Unit& unit) {
  set(unit, Action::stanza);
  find_secrets(element, unit);
  if (element.name() == "iq") {
    if (read_iq(session_, from, element, unit) == IqMeaning::signed_in) set(unit, Action::signed_in);
    mark_resend(from, unit);
    return {};
  }
  // RFC 6120 §6.3.3: before authentication a client sends nothing that is for others.
  const bool too_early = session_.sign_in != nullptr && !session_.sign_in->authenticated && !passive_;
  if (too_early) return CodecError::out_of_order;
  if (session_.midstream && session_.own.empty() && from == Side::server) {
    session_.own_full = normal_jid(element.attribute("to"));
    session_.own = bare_part(session_.own_full);
  }
  std::error_code error;
  if (element.name() == "message")
    error = read_message(session_, from, element, unit);
  else
    read_presence(session_, from, element, unit);
  mark_resend(from, unit);
  unit.forwards_wire = true;
  if (from == Side::client && !unit.events.empty()) unit.number = digest_of_sent(session_, unit.events.front());
  if (passive_) remember_sent(session_, unit.number);
  return error;
}

// XEP-0198 §5: after a resumption both sides begin with what the other has not counted.
void XmppCodec::mark_resend(Side from, Unit& unit) {
  std::uint32_t& left = resends_[static_cast<std::size_t>(from)];
  if (left == 0) return;
  --left;
  for (Event& event : unit.events)
    if (event.copy == Copy::none) event.copy = Copy::resend;
}

// First-level elements of no specification known here: passed, but not in silence when they carry text.
void XmppCodec::read_unknown(Side from, const xml::Element& element, Unit& unit) {
  if (!has_text(element)) return;
  Event event;
  event.kind = Kind::opaque;
  event.scope = Scope::network;
  event.from = from == Side::client ? session_.own : session_.host;
  event.detail = "text in <";
  event.detail.append(element.name()).append(" xmlns='").append(element.ns()).append("'>");
  unit.events.push_back(std::move(event));
}

// Passive only: what follows cannot be read on either side.
void XmppCodec::lose(std::string_view why, Unit& unit) {
  Event event;
  event.kind = Kind::opaque;
  event.scope = Scope::network;
  event.from = session_.own;
  event.detail = why;
  unit.events.push_back(std::move(event));
  client_.phase = server_.phase = Phase::lost;
}

std::error_code XmppCodec::finish(Side from, std::vector<Unit>&) {
  Leg& leg = this->leg(from);
  if (leg.error) return leg.error;
  if (is_deaf(leg.phase) || leg.phase == Phase::resync) return {};
  // A connection that ends between two units was cut, but nothing is lost.
  if (leg.scanner.midway()) leg.error = CodecError::malformed;
  return leg.error;
}

void XmppCodec::gap(Side from, std::uint64_t) {
  Leg& leg = this->leg(from);
  if (is_deaf(leg.phase)) return;
  leg.error = {};
  leg.phase = Phase::resync;
  leg.search.clear();
  leg.unproven = 0;
  session_.midstream = true;
}

}  // namespace chancery::xmpp
