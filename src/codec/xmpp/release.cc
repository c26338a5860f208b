// The forward half: units to octets.
#include <algorithm>

#include "codec/xmpp/events.h"
#include "codec/xmpp/names.h"
#include "codec/xmpp/rewrite.h"
#include "codec/xmpp/xmpp_codec.h"

namespace chancery::xmpp {
namespace {

// What a client may send ahead while the server's TLS is being set up: a header, its first stanzas.
constexpr std::size_t kHeldOctetsMax = 65'536;

constexpr Bytes kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr Bytes kTlsFailure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr Bytes kStartTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr Bytes kTlsOffer =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>";
constexpr Bytes kInvalidMechanism = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><invalid-mechanism/></failure>";
constexpr Bytes kInvalidSasl2 =
    "<failure xmlns='urn:xmpp:sasl:2'><invalid-mechanism xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>";
constexpr Bytes kCompressionFailure = "<failure xmlns='http://jabber.org/protocol/compress'><setup-failed/></failure>";

Verdict strongest(std::span<const Decision> decisions) {
  const auto rank = [](Verdict verdict) {
    switch (verdict) {
      case Verdict::refuse:
        return 4;
      case Verdict::hold:
        return 3;
      case Verdict::redact:
        return 2;
      case Verdict::flag:
      case Verdict::forward:
        break;
    }
    return 1;
  };
  Verdict verdict = Verdict::forward;
  for (const Decision& decision : decisions)
    if (rank(decision.verdict) > rank(verdict)) verdict = decision.verdict;
  return verdict;
}

bool passes(Verdict verdict) { return verdict == Verdict::forward || verdict == Verdict::flag; }

std::string_view notice_of(std::span<const Decision> decisions) {
  for (const Decision& decision : decisions)
    if (decision.verdict == Verdict::refuse) return decision.notice;
  return {};
}

}  // namespace

void XmppCodec::release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) {
  if (ended_) return;
  const auto action = static_cast<Action>(unit.action);
  switch (action) {
    case Action::pass:
      // Only elements that are not read have something to decide here, and nothing that could be masked.
      if (passes(strongest(decisions))) send(other(unit.from), unit.wire, out);
      return;
    case Action::stanza:
      return release_stanza(unit, decisions, out);
    case Action::management:
      if (strongest(decisions) == Verdict::refuse) return terminate("policy-violation", notice_of(decisions), out);
      return release_management(unit, out);
    case Action::signed_in:
      if (strongest(decisions) == Verdict::refuse) return terminate("policy-violation", notice_of(decisions), out);
      out.identified(session_.own);
      return release_stanza(unit, {}, out);
    default:
      return release_negotiation(action, unit, out);
  }
}

void XmppCodec::release_negotiation(Action action, const Unit& unit, Outbox& out) {
  switch (action) {
    case Action::offer_client_tls:
      return open_client_stream(kTlsOffer, out);
    case Action::start_client_tls:
      out.send(Side::client, kProceed);
      out.start_tls(Side::client);
      client_.phase = Phase::header;
      client_opened_ = false;
      return;
    case Action::refuse_client_tls:  // RFC 6120 §5.4.2.2
      out.send(Side::client, kTlsFailure);
      out.send(Side::client, "</stream:stream>");
      out.close(Side::client);
      close_server(out);
      return;
    case Action::open_server:
      return open_server(unit, out);
    case Action::ask_server_tls:
      out.send(Side::server, kStartTls);
      return;
    case Action::start_server_tls:
      out.start_tls(Side::server);
      server_.phase = Phase::header;
      server_ready_ = true;
      out.send(Side::server, held_for_server_);
      Buffer().swap(held_for_server_);
      return;
    case Action::server_header:
      client_opened_ = true;
      return send(Side::client, unit.wire, out);
    case Action::features: {
      xml::Tree tree;
      if (server_.scanner.parse(unit.wire, tree)) return terminate("internal-server-error", {}, out);
      return send(Side::client, rewritten_features(tree.root()), out);
    }
    case Action::sasl_success:
      client_opened_ = false;
      server_opened_ = false;
      return send(Side::client, unit.wire, out);
    case Action::refuse_mechanism:
      return send(Side::client, kInvalidMechanism, out);
    case Action::refuse_sasl2:
      return send(Side::client, kInvalidSasl2, out);
    case Action::refuse_compression:
      return send(Side::client, kCompressionFailure, out);
    case Action::close_stream:
      forget_resumption();
      (unit.from == Side::client ? server_opened_ : client_opened_) = false;
      client_closed_ = client_closed_ || unit.from == Side::server;
      return send(other(unit.from), unit.wire, out);
    case Action::server_unusable:
      return terminate("remote-connection-failed", unit.events.empty() ? std::string{} : unit.events[0].detail, out);
    case Action::server_redirects:
      return terminate("remote-connection-failed", "The server asks to connect elsewhere.", out);
    default:
      return;
  }
}

// Towards a server whose TLS does not stand yet, octets wait.
void XmppCodec::send(Side side, Bytes octets, Outbox& out) {
  if (side == Side::client || server_ready_) return out.send(side, octets);
  if (held_for_server_.size() + octets.size() > kHeldOctetsMax)
    return terminate("policy-violation", "Too much was sent before the stream was negotiated.", out);
  held_for_server_.append(octets);
}

// The client's opening tag: passed on as it is, at once or when the server's own STARTTLS is done.
void XmppCodec::open_server(const Unit& unit, Outbox& out) {
  server_opened_ = true;
  send(Side::server, unit.wire, out);
  if (server_ready_ || ended_) return;
  Buffer header{"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='"};
  header.append(ns::kStream).append("' to='");
  xml::escape_to(session_.host.empty() ? client_host_ : session_.host, header);
  header.append("' version='1.0'>");
  out.send(Side::server, header);
}

void XmppCodec::open_client_stream(std::string_view features, Outbox& out) {
  Buffer header{"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='"};
  header.append(ns::kStream).append("' id='").append(nonce_).append("' from='");
  xml::escape_to(session_.host.empty() ? client_host_ : session_.host, header);
  header.append("' version='1.0' xml:lang='en'>").append(features);
  out.send(Side::client, header);
  client_opened_ = true;
}

void XmppCodec::release_stanza(Unit& unit, std::span<const Decision> decisions, Outbox& out) {
  // What the old connection still brings is not counted any more: the client will send it again on the new one.
  if (managed_ && managed_->management.abandoned())
    return terminate("conflict", "The session goes on in another connection.", out);
  // RFC 6120 §7.1: no stanzas before the address is known; what comes here would be in neither count.
  if (resuming_ && unit.from == Side::client)
    return terminate("not-authorized", "A stanza before the session was resumed.", out);
  const Side to = other(unit.from);
  const Verdict verdict = strongest(decisions);
  if (passes(verdict)) {
    send(to, unit.wire, out);
    remember_sent(session_, unit.number);
    return count_passed(unit.from);
  }
  xml::Tree tree;
  if (leg(unit.from).scanner.parse(unit.wire, tree)) return terminate("internal-server-error", {}, out);
  if (verdict == Verdict::redact) {
    if (const Buffer masked = redacted(unit, tree.root(), decisions); !masked.empty()) {
      send(to, masked, out);
      remember_masked(unit.from, masked);
      return count_passed(unit.from);
    }
  }
  count_dropped(unit.from, out);
  if (verdict != Verdict::hold) refuse(unit.from, tree.root(), notice_of(decisions), out);
}

// Should it bounce, it comes back as it left.
void XmppCodec::remember_masked(Side from, Bytes masked) {
  xml::Tree tree;
  Unit unit;
  if (from != Side::client || client_.scanner.parse(masked, tree) || tree.root().name() != "message") return;
  if (!read_message(session_, from, tree.root(), unit) && !unit.events.empty())
    remember_sent(session_, digest_of_sent(session_, unit.events.front()));
}

// A stanza of the client is answered; of one from the server nothing goes back but what an <iq/> is owed: an error to
// a sender outside would tell him that this person is there, and what the rules are (RFC 6121 §8.5).
void XmppCodec::refuse(Side from, const xml::Element& stanza, std::string_view notice, Outbox& out) {
  if (from == Side::client) return say(Side::client, refusal(stanza, session_.own_full, notice), out);
  // RFC 6120 §8.2.3: a request must be answered. Its sender knows the full address already.
  if (stanza.name() == "iq") say(Side::server, unavailable(stanza), out);
}

}  // namespace chancery::xmpp
