// <iq/>: passed in silence but for signing in, archive queries and file offers.
#include <algorithm>

#include "codec/xmpp/events.h"
#include "codec/xmpp/jid.h"
#include "codec/xmpp/names.h"

namespace chancery::xmpp {
namespace {

Event sign_in_event(const Session& session, bool accepted) {
  Event event;
  event.kind = Kind::sign_in;
  event.scope = Scope::network;
  event.accepted = accepted;
  event.from = session.own;
  event.from_device = accepted ? session.own_full : std::string{};
  event.detail = session.sign_in->mechanism;
  return event;
}

// XEP-0078 §3.2: the old way to sign in, without SASL.
void read_iq_auth(Session& session, const xml::Element& iq, const xml::Element& query) {
  SignIn& sign_in = *session.sign_in;
  sign_in.mechanism = ns::kIqAuth;
  sign_in.iq_auth_id = iq.attribute("id");
  sign_in.username = query.child("username", ns::kIqAuth).text();
  session.own_full =
      normal_jid(sign_in.username + '@' + session.host + '/' + query.child("resource", ns::kIqAuth).text());
  session.own = bare_part(session.own_full);
}

void read_archive_query(Session& session, const xml::Element& iq, const xml::Element& query) {
  if (session.queries.size() >= Session::kQueriesMax) return;
  const std::string_view to = iq.attribute("to");
  session.queries.push_back({.iq_id = std::string{iq.attribute("id")},
                             .query_id = std::string{query.attribute("queryid")},
                             .archive = to.empty() ? session.own : normal_bare(to)});
}

IqMeaning read_request(Session& session, const xml::Element& iq) {
  const xml::Element payload = iq.first_child();
  if (payload.name() == "query" && (payload.ns() == ns::kArchive1 || payload.ns() == ns::kArchive2))
    read_archive_query(session, iq, payload);
  if (session.sign_in == nullptr) return IqMeaning::plain;
  if (payload.is("bind", ns::kBind)) session.sign_in->bind_id = iq.attribute("id");
  if (payload.is("query", ns::kIqAuth) && iq.attribute("type") == "set") read_iq_auth(session, iq, payload);
  return IqMeaning::plain;
}

// RFC 6120 §7.6.1: until this answer the server routes nothing from others, so it is the server's own.
IqMeaning read_bind_answer(Session& session, const xml::Element& iq, Unit& unit) {
  const std::string jid = iq.child("bind", ns::kBind).child("jid", ns::kBind).text();
  if (jid.empty()) return IqMeaning::plain;
  session.own_full = normal_jid(jid);
  session.own = bare_part(session.own_full);
  unit.events.push_back(sign_in_event(session, true));
  session.sign_in.reset();
  return IqMeaning::signed_in;
}

IqMeaning read_iq_auth_answer(Session& session, bool accepted, Unit& unit) {
  unit.events.push_back(sign_in_event(session, accepted));
  if (accepted) {
    session.sign_in.reset();
    return IqMeaning::signed_in;
  }
  session.sign_in->iq_auth_id.clear();
  session.own.clear();
  session.own_full.clear();
  return IqMeaning::sign_in_failed;
}

IqMeaning read_answer(Session& session, const xml::Element& iq, Unit& unit) {
  const std::string_view id = iq.attribute("id");
  const bool result = iq.attribute("type") == "result";
  std::erase_if(session.queries, [&](const ArchiveQuery& query) { return query.iq_id == id; });
  const SignIn* sign_in = session.sign_in.get();
  if (sign_in == nullptr || id.empty()) return IqMeaning::plain;
  if (result && sign_in->authenticated && id == sign_in->bind_id) return read_bind_answer(session, iq, unit);
  if (id == sign_in->iq_auth_id) return read_iq_auth_answer(session, result, unit);
  return IqMeaning::plain;
}

}  // namespace

IqMeaning read_iq(Session& session, Side side, const xml::Element& iq, Unit& unit) {
  const std::string_view type = iq.attribute("type");
  if (type == "set" || type == "get") {
    read_iq_offers(session, side, iq, unit);
    return side == Side::client ? read_request(session, iq) : IqMeaning::plain;
  }
  return side == Side::server ? read_answer(session, iq, unit) : IqMeaning::plain;
}

}  // namespace chancery::xmpp
