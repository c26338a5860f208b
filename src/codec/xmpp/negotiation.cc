// The decode half before there are stanzas: opening tags, STARTTLS, features, SASL, stream errors.
#include "codec/xmpp/events.h"
#include "codec/xmpp/jid.h"
#include "codec/xmpp/names.h"
#include "codec/xmpp/rewrite.h"
#include "codec/xmpp/sasl.h"
#include "codec/xmpp/xmpp_codec.h"

namespace chancery::xmpp {
namespace {

void set(Unit& unit, Action action) { unit.action = static_cast<std::uint32_t>(action); }

void hide(const xml::Element& element, Unit& unit) {
  const xml::Span inner = element.inner();
  if (inner.size() > 0) unit.secrets.push_back({inner.begin, inner.end, "sasl"});
}

}  // namespace

void XmppCodec::protocol_error(Unit& unit, Action action, std::string detail) const {
  set(unit, action);
  Event event;
  event.kind = Kind::protocol_error;
  event.scope = Scope::network;
  event.from = session_.host;
  event.to.push_back(session_.own);
  if (session_.own.empty()) event.to.clear();
  event.detail = std::move(detail);
  unit.events.push_back(std::move(event));
}

std::error_code XmppCodec::read_open(Side from, const xml::Element& header, Unit& unit) {
  Leg& leg = this->leg(from);
  if (!header.is("stream", ns::kStream)) return CodecError::malformed;  // RFC 6120 §4.9.3.10, invalid namespace
  const bool clear = leg.phase == Phase::clear_header;
  leg.phase = clear ? Phase::clear_features : Phase::open;
  if (from == Side::client) {
    if (const std::string_view to = header.attribute("to"); !to.empty()) session_.host = normal_bare(to);
    set(unit, clear ? Action::offer_client_tls : Action::open_server);
    return {};
  }
  if (session_.host.empty()) session_.host = normal_bare(header.attribute("from"));
  // RFC 6120 §4.7.5: without version='1.0' the server sends no features, so there is no STARTTLS.
  if (clear && header.attribute("version").empty())
    protocol_error(unit, Action::server_unusable, "the server does not offer STARTTLS, which the route demands");
  else
    set(unit, clear ? Action::drop : Action::server_header);
  return {};
}

// Before TLS the only business is TLS (RFC 6120 §5.3.1).
std::error_code XmppCodec::read_clear_element(Side from, const xml::Element& element, Unit& unit) {
  Leg& leg = this->leg(from);
  if (from == Side::client) {
    if (!element.is("starttls", ns::kTls)) return CodecError::out_of_order;
    set(unit, Action::start_client_tls);
    leg.phase = Phase::tls_wait;
    return {};
  }
  if (element.is("error", ns::kStream)) {
    protocol_error(unit, Action::server_unusable,
                   "the server ended the stream before TLS: " + std::string{element.first_child().name()});
  } else if (leg.phase == Phase::clear_features && element.is("features", ns::kStream)) {
    leg.phase = Phase::clear_answer;
    if (element.child("starttls", ns::kTls))
      set(unit, Action::ask_server_tls);
    else
      protocol_error(unit, Action::server_unusable, "the server does not offer STARTTLS, which the route demands");
  } else if (leg.phase == Phase::clear_answer && element.is("proceed", ns::kTls)) {
    set(unit, Action::start_server_tls);
    leg.phase = Phase::tls_wait;
  } else if (leg.phase == Phase::clear_answer && element.is("failure", ns::kTls)) {
    protocol_error(unit, Action::server_unusable, "the server refused STARTTLS, which the route demands");
  } else {
    return CodecError::out_of_order;
  }
  return {};
}

bool XmppCodec::read_negotiation(Side from, const xml::Element& element, Unit& unit) {
  if (element.is("error", ns::kStream)) {
    if (from == Side::server) read_stream_error(element, unit);
    return true;
  }
  if (element.ns() == ns::kStreamManagement || element.ns() == ns::kStreamManagementOld) {
    read_management(from, element, unit);
    return true;
  }
  return from == Side::client ? read_client_negotiation(element, unit) : read_server_negotiation(element, unit);
}

bool XmppCodec::read_client_negotiation(const xml::Element& element, Unit& unit) {
  const std::string_view in = element.ns();
  if (in == ns::kSasl) {
    hide(element, unit);
    SignIn* sign_in = session_.sign_in.get();
    if (element.name() == "auth") {
      read_auth(element, unit);
    } else if (element.name() == "response" && sign_in != nullptr && sign_in->first_response) {
      sign_in->first_response = false;
      sign_in->username = sasl_username(sign_in->mechanism, element.text());
    }
    return true;
  }
  if (in == ns::kTls) {
    if (!passive_) set(unit, Action::refuse_client_tls);
  } else if (in == ns::kSasl2) {
    unit.secrets.push_back({element.inner().begin, element.inner().end, "sasl"});
    if (!passive_) set(unit, Action::refuse_sasl2);
  } else if (in == ns::kCompress) {
    if (!passive_) set(unit, Action::refuse_compression);
  } else {
    return false;
  }
  return true;
}

void XmppCodec::read_auth(const xml::Element& auth, Unit& unit) {
  if (session_.sign_in == nullptr) return;
  SignIn& sign_in = *session_.sign_in;
  sign_in = SignIn{};
  sign_in.mechanism = auth.attribute("mechanism");
  const std::string initial = auth.text();
  // RFC 6120 §6.4.2: no initial response means that it comes later, and "=" is an empty one.
  sign_in.first_response = initial.empty();
  sign_in.username = sasl_username(sign_in.mechanism, initial);
  if (passive_ || !is_withheld_mechanism(sign_in.mechanism)) return;
  set(unit, Action::refuse_mechanism);
  read_sasl_failure(unit);
}

bool XmppCodec::read_server_negotiation(const xml::Element& element, Unit& unit) {
  const std::string_view in = element.ns();
  if (element.is("features", ns::kStream)) {
    read_server_features(element, unit);
  } else if (in == ns::kSasl) {
    if (element.name() != "failure") hide(element, unit);
    if (element.name() == "failure") read_sasl_failure(unit);
    if (element.name() == "success" && session_.sign_in != nullptr) {
      session_.sign_in->authenticated = true;
      restart_ = true;
      set(unit, Action::sasl_success);
    }
  } else if (element.is("proceed", ns::kTls) && passive_) {
    lose("STARTTLS: encrypted from here on", unit);
  } else if (element.is("compressed", ns::kCompress) && passive_) {
    lose("stream compression (XEP-0138): not read from here on", unit);
  } else {
    return in == ns::kSasl2 || in == ns::kCompress || in == ns::kTls;
  }
  return true;
}

void XmppCodec::read_server_features(const xml::Element& features, Unit& unit) {
  if (passive_) return;
  set(unit, Action::features);
  const xml::Element starttls = features.child("starttls", ns::kTls);
  if (starttls.child("required", ns::kTls))
    protocol_error(unit, Action::server_unusable, "the server requires STARTTLS, which the route does not use");
}

// XEP-0198 §5: <resumed/> ends the sign-in, with the address that the session had.
void XmppCodec::read_management(Side from, const xml::Element& element, Unit& unit) {
  if (!passive_) set(unit, Action::management);
  if (from == Side::client && element.name() == "resume") {
    unit.takes_over = true;
    wants_ = element.attribute("previd");
  }
  if (from != Side::server || element.name() != "resumed" || session_.sign_in == nullptr || managed_ == nullptr) return;
  session_.own = managed_->own;
  session_.own_full = managed_->own_full;
  if (managed_->rooms) session_.rooms = managed_->rooms;
  if (managed_->sent) session_.sent = managed_->sent;
  Event event;
  event.kind = Kind::sign_in;
  event.scope = Scope::network;
  event.from = session_.own;
  event.from_device = session_.own_full;
  event.detail = session_.sign_in->mechanism + ", resumed";
  unit.events.push_back(std::move(event));
  session_.sign_in.reset();
}

void XmppCodec::read_sasl_failure(Unit& unit) {
  if (session_.sign_in == nullptr) return;
  Event event;
  event.kind = Kind::sign_in;
  event.scope = Scope::network;
  event.accepted = false;
  event.detail = session_.sign_in->mechanism;
  if (!session_.sign_in->username.empty()) event.from = normal_bare(session_.sign_in->username + '@' + session_.host);
  unit.events.push_back(std::move(event));
}

// RFC 6120 §4.9.3.19: see-other-host names a server that the client would go to without the gateway.
void XmppCodec::read_stream_error(const xml::Element& error, Unit& unit) {
  const xml::Element other = error.child("see-other-host", ns::kStreamErrors);
  if (other && !passive_) protocol_error(unit, Action::server_redirects, "see-other-host: " + other.text());
}

}  // namespace chancery::xmpp
