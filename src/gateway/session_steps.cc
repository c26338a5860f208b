// What the codec wants done: octets, TLS, ends, identities; and the notices that policy wants shown.
#include "gateway/session.h"
#include "net/random.h"

namespace chancery::gateway {

void Session::apply() {
  bool closed = false;
  for (Step& step : shop_.outbox.steps()) {
    net::Stream* const target = stream(step.side);
    switch (step.what) {
      case Step::What::send:
        if (target != nullptr) target->write(step.octets);
        break;
      case Step::What::start_tls:
        start_tls(step.side);
        break;
      case Step::What::close:
        if (target != nullptr) target->close();
        closed = true;
        break;
      case Step::What::identified:
        identified(std::move(step.octets));
        break;
      case Step::What::resumed:
        resumed(step.octets);
        break;
      case Step::What::session_key:
        shop_.resumptions.add(step.octets, {session_, account_, weak_from_this()});
        break;
    }
  }
  shop_.outbox.clear();
  if (closed && state_ == State::open) end(std::nullopt, {}, "closed by the protocol");
}

void Session::start_tls(Side side) {
  if (side == Side::client && service_->client_side)
    client_->start_tls(*service_->client_side, net::Tls::Role::server, {});
  else if (side == Side::server && server_ && service_->server_side)
    server_->start_tls(*service_->server_side, net::Tls::Role::client, service_->config.route.server_name);
}

void Session::identified(std::string address) {
  account_ = std::move(address);
  if (session_.is_nil()) session_ = net::random_id<SessionId>();
  signed_in_ = true;
}

void Session::resumed(const std::string& key) {
  const Resumptions::Known* known = shop_.resumptions.find(key);
  if (known == nullptr) return;  // of an earlier process: it goes on as a session of its own
  session_ = known->session;
  account_ = known->account;
  signed_in_ = true;
  shop_.resumptions.add(key, {session_, account_, weak_from_this()});
}

// A client comes back often before its old connection is known to be dead, and what that one brought may have waited
// for the journal just as long. Its upstream must have handled all of it before it is asked to resume: some servers
// (ejabberd 23) deliver what comes at the same moment, but do not count it.
void Session::take_over() {
  const std::string key = codec_->resumes();
  const Resumptions::Known* known = key.empty() ? nullptr : shop_.resumptions.find(key);
  const auto old = known != nullptr ? known->connection.lock() : nullptr;
  if (!old || old.get() == this || old->upstream_gone()) return;
  before_ = old;
  shop_.heirs.push_back(shared_from_this());
  shop_.loop.post([old] { old->end(std::nullopt, {}, "the session goes on in another connection"); });
}

bool Session::waits_for_old() const {
  const auto old = before_.lock();
  return old && !old->upstream_gone();
}

void Session::make_way() {
  for (auto& heir : std::exchange(shop_.heirs, {})) shop_.loop.post([heir] { heir->inherit(); });
}

void Session::inherit() {
  if (state_ == State::over) return;
  if (waits_for_old()) return shop_.heirs.push_back(shared_from_this());
  advance();
  wait_for_durable();
}

// A notice counts as shown once the protocol could take it; until then it waits, as long as the session lives.
void Session::show_notices() {
  if (due_notices_.empty()) return;
  const Instant now = net::Loop::now();
  std::erase_if(due_notices_, [&](const DueNotice& due) {
    const policy::Notice& notice = due.notice;
    // Two events may have asked before the first showing.
    if (const auto before = shop_.notices.when(notice.key); before && *before >= due.since) return true;
    shop_.outbox.clear();
    if (!codec_->inject(notice.to, notice.text, due.about ? &*due.about : nullptr, shop_.outbox)) {
      shop_.outbox.clear();
      return false;
    }
    apply();
    Event event;
    event.kind = Kind::notice_shown;
    event.scope = Scope::network;
    event.to = {account_};
    event.id = notice.key;
    event.detail = notice.id;
    event.texts.push_back({TextPart::Role::body, {}, notice.text, {}});
    shop_.recorder.note(origin(notice.to),
                        {std::move(event), ConversationId{connection_.octets}, &own_sequence_, {}, now});
    shop_.notices.shown(notice.key, now);
    ++shop_.stats.notices;
    return true;
  });
}

const Resumptions::Known* Resumptions::find(const std::string& key) const {
  const auto found = known_.find(key);
  return found == known_.end() ? nullptr : &found->second;
}

void Resumptions::add(const std::string& key, Known known) {
  if (known_.insert_or_assign(key, std::move(known)).second) order_.push_back(key);
  while (order_.size() > kMax) {
    known_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace chancery::gateway
