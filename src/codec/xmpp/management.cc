// XEP-0198 in the forward half: every `h` is turned into what the other side counts (stream_management.h), and a
// session is resumed only where this gateway knows what it dropped and added in it.
#include <algorithm>
#include <charconv>
#include <optional>

#include "codec/xmpp/names.h"
#include "codec/xmpp/xmpp_codec.h"

namespace chancery::xmpp {
namespace {

constexpr std::chrono::seconds kResumptionDefault{600};  // where <enabled/> names no `max`
constexpr std::chrono::seconds kResumptionMax{86'400};

std::optional<std::uint32_t> count(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_true(std::string_view value) { return value == "true" || value == "1"; }

Buffer with_count(const xml::Element& element, std::uint32_t h) {
  xml::Editor editor(element.source());
  editor.set_value(element.find_attribute("h"), std::to_string(h));
  return editor.apply();
}

Buffer without(const xml::Element& element, std::initializer_list<std::string_view> names) {
  xml::Editor editor(element.source());
  for (const std::string_view name : names)
    if (const xml::Attribute attribute = element.find_attribute(name)) editor.remove(attribute);
  return editor.apply();
}

Buffer item_not_found(std::string_view in_namespace) {
  Buffer failed{"<failed xmlns='"};
  failed.append(in_namespace).append("'><item-not-found xmlns='").append(ns::kStanzaErrors).append("'/></failed>");
  return failed;
}

}  // namespace

void XmppCodec::release_management(const Unit& unit, Outbox& out) {
  xml::Tree tree;
  if (leg(unit.from).scanner.parse(unit.wire, tree)) return terminate("internal-server-error", {}, out);
  const xml::Element element = tree.root();
  const std::string_view name = element.name();
  if (name == "a") return release_acknowledgement(unit.from, element, out);
  if (unit.from == Side::client) {
    if (name == "enable") return release_enable(element, out);
    if (name == "resume") return release_resume(element, out);
  } else {
    if (name == "enabled") return release_enabled(element, out);
    if (name == "resumed") return release_resumed(element, out);
    if (name == "failed") return release_failed(element, out);
  }
  send(other(unit.from), unit.wire, out);
}

// XEP-0198 §4: a side that claims to have received what was never sent has lost count.
void XmppCodec::release_acknowledgement(Side by, const xml::Element& element, Outbox& out) {
  const auto h = count(element.attribute("h"));
  if (!h) return terminate("undefined-condition", "An acknowledgement without a count.", out);
  if (!managed_) return send(other(by), element.source(), out);
  const auto mapped = managed_->management.acknowledge(by, *h);
  if (!mapped) return terminate("undefined-condition", "An acknowledgement of what was not sent.", out);
  send(other(by), with_count(element, *mapped), out);
}

void XmppCodec::release_enable(const xml::Element& enable, Outbox& out) {
  if (managed_ == nullptr) {
    managed_ = std::make_shared<ManagedSession>(limits_);
    managed_->management.enable_sent();
    enabling_ = true;
  }
  // Without a memory that outlives the connection nothing can be resumed, so the server need not wait.
  send(Side::server, store_ == nullptr ? without(enable, {"resume", "max"}) : Buffer{enable.source()}, out);
}

void XmppCodec::release_enabled(const xml::Element& enabled, Outbox& out) {
  const std::string id{enabled.attribute("id")};
  const bool resumable = store_ != nullptr && is_true(enabled.attribute("resume")) && !id.empty();
  if (managed_ && enabling_) {
    enabling_ = false;
    managed_->management.enabled();
    managed_->own = session_.own;
    managed_->own_full = session_.own_full;
    const std::chrono::seconds max{count(enabled.attribute("max")).value_or(kResumptionDefault.count())};
    managed_->lasts = std::min(max, kResumptionMax);
    managed_->rooms = session_.rooms;
    managed_->sent = session_.sent;
    if (resumable) {
      resumption_id_ = id;
      store_->attach(id, managed_);
      out.session_key(id);
    }
  }
  // XEP-0198 §3: `location` is where to resume, and would lead around the gateway.
  send(Side::client, resumable ? without(enabled, {"location"}) : without(enabled, {"location", "resume", "id", "max"}),
       out);
}

// A session that this gateway does not know (it was restarted, or the session was never here) cannot be resumed: its
// counts are not known. The client then binds anew.
void XmppCodec::release_resume(const xml::Element& resume, Outbox& out) {
  const std::string previd{resume.attribute("previd")};
  const auto h = count(resume.attribute("h"));
  auto known = store_ && h && !managed_ ? store_->take(previd, session_.proven(), now_) : nullptr;
  const auto mapped = known ? known->management.resume(*h) : std::nullopt;
  if (!mapped) {
    if (known) store_->forget(previd, known);
    return out.send(Side::client, item_not_found(resume.ns()));
  }
  managed_ = std::move(known);
  resumption_id_ = previd;
  resuming_ = true;
  resends_[static_cast<std::size_t>(Side::server)] = managed_->management.repeats(Side::server);
  send(Side::server, with_count(resume, *mapped), out);
}

std::string XmppCodec::resumes() const {
  return store_ != nullptr && store_->knows(wants_, session_.proven()) ? wants_ : std::string{};
}

void XmppCodec::release_resumed(const xml::Element& resumed, Outbox& out) {
  const auto h = count(resumed.attribute("h"));
  auto mapped = managed_ && resuming_ && h ? managed_->management.resumed(*h) : std::nullopt;
  if (!mapped) return terminate("undefined-condition", "The session could not be resumed.", out);
  resuming_ = false;
  resends_[static_cast<std::size_t>(Side::client)] = managed_->management.repeats(Side::client);
  out.resumed(resumption_id_);
  out.identified(session_.own);
  send(Side::client, with_count(resumed, mapped->h), out);
  for (const Buffer& stanza : mapped->to_client) send(Side::client, stanza, out);
  for (const Buffer& stanza : mapped->to_server) send(Side::server, stanza, out);
}

void XmppCodec::release_failed(const xml::Element& failed, Outbox& out) {
  const auto h = count(failed.attribute("h"));
  Buffer octets{failed.source()};
  if (managed_ && resuming_ && h) {
    const auto mapped = managed_->management.resume_failed(*h);
    octets = mapped ? with_count(failed, *mapped) : without(failed, {"h"});
  }
  if (managed_ && (resuming_ || enabling_)) {
    forget_resumption();
    managed_->management.stop();
    managed_.reset();
  }
  resuming_ = enabling_ = false;
  send(Side::client, octets, out);
}

// What is sent or kept back without either side knowing is counted; too much of it unacknowledged ends the stream.
void XmppCodec::count_passed(Side from) {
  if (managed_) managed_->management.pass(from);
}

void XmppCodec::count_dropped(Side from, Outbox& out) {
  if (managed_ && !managed_->management.drop(from))
    terminate("resource-constraint", "Too much is unacknowledged.", out);
}

void XmppCodec::say(Side to, const Buffer& stanza, Outbox& out) {
  if (ended_ || stanza.empty() || !(to == Side::client ? client_opened_ : server_opened_)) return;
  if (managed_ && !managed_->management.add(to, stanza))
    return terminate("resource-constraint", "Too much is unacknowledged.", out);
  send(to, stanza, out);
  if (managed_ && managed_->management.wants_request(to)) send(to, "<r xmlns='urn:xmpp:sm:3'/>", out);
}

// RFC 6120 §4.4 with XEP-0198 §5: a stream closed by its tag is over; one that just ends may be resumed.
void XmppCodec::forget_resumption() {
  if (!resumption_id_.empty()) store_->forget(resumption_id_, managed_);
  resumption_id_.clear();
}

XmppCodec::~XmppCodec() {
  if (!resumption_id_.empty()) store_->detach(resumption_id_, managed_, now_ + managed_->lasts);
}

}  // namespace chancery::xmpp
