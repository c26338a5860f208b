#pragma once
// XEP-0198 (version 1.6) across a gateway that drops stanzas and adds its own.
//
// Client and server acknowledge by counting: `h` is how many stanzas a side has received. When the gateway refuses a
// stanza, its sender has counted it and its receiver never will; when it adds one, it is the other way round. So no `h`
// may pass as it is. A Ledger keeps, for one direction, in which *place* something was dropped or added since the last
// acknowledgement, and turns the receiver's count into the sender's:
//
//   the sender is told the highest count such that everything up to it was received, or was dropped by the gateway.
//
// A dropped stanza is so acknowledged in its place: it is on the record, and must not be sent again. One that was
// added is kept until its receiver has counted it, because nobody else could send it again after a resumption.
// Counters wrap at 2^32 (XEP-0198 §4).
//
// What the codec counts, it counts when it releases a unit, not when it reads it: the order is that of what leaves.
// Only <message/>, <presence/> and <iq/> count, whatever their content (XEP-0198 §4).
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "codec/codec.h"
#include "codec/xmpp/rooms.h"
#include "core/bytes.h"
#include "core/time.h"

namespace chancery::xmpp {

// One direction: the stanzas that one side sends and the other receives.
class Ledger {
 public:
  // Added stanzas are kept until they are acknowledged, up to so many octets.
  static constexpr std::size_t kKeptOctetsMax = 262'144;
  // After so many added stanzas without an acknowledgement, wants_request() asks for one: a side that nobody else
  // sends anything to would never be asked.
  static constexpr std::size_t kRequestEvery = 8;

  // `limits`: unacked_max bounds the places that are remembered. `count`: what both sides have counted so far.
  explicit Ledger(const Limits& limits, std::uint32_t count = 0);

  void pass();
  // False: too much is unacknowledged, and the stream must end (resource-constraint); the count would be lost.
  [[nodiscard]] bool drop();
  [[nodiscard]] bool add(Bytes stanza);

  // What the sender is to be told when the receiver says that it has counted `h`. nullopt: it claims to have received
  // what was never sent to it; the stream must end (undefined-condition, XEP-0198 §4 handled-count-too-high).
  std::optional<std::uint32_t> acknowledge(std::uint32_t h);

  // The same for an `h` in <resume/>, <resumed/> or <failed/>: what the receiver has not counted never arrived. The
  // sender will send its own again, and the ledger counts them again; `again` gets the added ones, for the caller to
  // add() and send first. repeats() is then how many of the sender's next stanzas this ledger has seen before.
  std::optional<std::uint32_t> rewind(std::uint32_t h, std::vector<Buffer>& again);
  std::uint32_t repeats() const { return repeats_; }

  // Whether it is time to send <r/> to the receiver. Answering yes is the request: call it once for each chance.
  bool wants_request();

  std::uint32_t sent() const { return sender_ + unacknowledged_sent_; }              // as the sender counts
  std::uint32_t delivered() const { return receiver_ + unacknowledged_delivered_; }  // as the receiver will
  std::size_t memory() const;

 private:
  // What happened after `passed` stanzas that went through: some were dropped in a row, or one was added.
  struct Place {
    std::uint32_t passed = 0;
    std::uint32_t dropped = 0;  // 0: `added`
    Buffer added;
  };
  bool has_room(std::size_t octets) const;
  void count_sent();
  void settle(std::uint32_t count);
  void settle_drops_behind_added();

  std::uint32_t unacked_max_;
  std::uint32_t sender_;    // acknowledged: the sender's count, …
  std::uint32_t receiver_;  // … and the receiver's
  std::deque<Place> places_;
  std::uint32_t passed_ = 0;                    // behind the last place
  std::uint32_t unacknowledged_sent_ = 0;       // passed and dropped
  std::uint32_t unacknowledged_delivered_ = 0;  // passed and added
  std::uint32_t repeats_ = 0;
  std::size_t kept_octets_ = 0;
  std::size_t added_since_request_ = 0;
};

// Both directions of one session, and where its negotiation stands. Calls for a direction that is not counted yet (or
// for a session without stream management) do nothing and succeed, so the codec calls them always.
class StreamManagement {
 public:
  explicit StreamManagement(const Limits& limits) : limits_(limits) {}

  // <enable/> left for the server: the client's stanzas count from here. <enabled/> left for the client: the
  // server's, too. <failed/> in place of it: stop(), nothing counts.
  void enable_sent();
  void enabled();
  void stop();
  bool active() const { return to_client_.has_value(); }

  void pass(Side from);
  // False: the stream must end (see Ledger).
  [[nodiscard]] bool drop(Side from);
  [[nodiscard]] bool add(Side to, Bytes stanza);

  // <a h=…/> of `by`: the h to pass on to the other side. nullopt: the stream must end, because of a wrong count, or
  // because the session goes on elsewhere.
  std::optional<std::uint32_t> acknowledge(Side by, std::uint32_t h);

  // <resume h=…/> of the client on a new connection: the h for the server. nullopt: refuse it.
  std::optional<std::uint32_t> resume(std::uint32_t h);
  // <resumed h=…/> of the server: the h for the client, and what the gateway had added and the sides never got; send
  // it behind <resumed/> to the client and at once to the server. It is counted already.
  struct Resumed {
    std::uint32_t h = 0;
    std::vector<Buffer> to_client;
    std::vector<Buffer> to_server;
  };
  std::optional<Resumed> resumed(std::uint32_t h);
  // <failed h=…/> in place of it: the h for the client. Nothing counts any more. (Without h: stop().)
  std::optional<std::uint32_t> resume_failed(std::uint32_t h);

  // After resume(), for what the server sends again, and after resumed(), for the client: how many of the next stanzas
  // of `from` were seen before (events of them are Copy::resend).
  std::uint32_t repeats(Side from) const;
  // Whether the gateway itself should now send <r/> to `to`.
  bool wants_request(Side to);

  // The session goes on in a copy of this (see ResumptionStore::take).
  void abandon();
  bool abandoned() const { return abandoned_; }
  std::size_t memory() const;

 private:
  std::optional<Ledger>& ledger(Side from) { return from == Side::client ? to_server_ : to_client_; }

  Limits limits_;
  std::optional<Ledger> to_server_;
  std::optional<Ledger> to_client_;
  std::vector<Buffer> again_to_client_;  // from <resume/> until a <resumed/>
  bool abandoned_ = false;
};

struct Sent;

// One session as it goes on from connection to connection.
struct ManagedSession {
  explicit ManagedSession(const Limits& limits) : management(limits) {}
  StreamManagement management;
  std::string own;       // bare JID
  std::string own_full;  // full JID
  std::shared_ptr<Rooms> rooms;
  std::shared_ptr<Sent> sent;
  std::chrono::seconds lasts{};  // without a connection
};

// The sessions of one listener that may be resumed, by the SM-ID that the server gave. A client often comes back before
// anyone has noticed that its old connection is dead, so sessions are here from <enabled/> on. Holds as many as there
// are connections up, and a bounded number of others.
class ResumptionStore final : public Shared {
 public:
  // Sessions without a connection that are remembered; beyond it, the one that expires first is forgotten. Resuming a
  // forgotten session is refused (item-not-found), and the client signs in anew.
  static constexpr std::size_t kSuspendedMax = 10'000;

  explicit ResumptionStore(std::size_t suspended_max = kSuspendedMax) : suspended_max_(suspended_max) {}

  // <enabled id=…/>: `session` belongs to a connection that is up. A second one of the same id is a server's error; the
  // newer one stays.
  void attach(std::string_view id, std::shared_ptr<ManagedSession> session);
  // The connection has ended; `session` is forgotten at `expires`. Does nothing when `session` is no longer the one
  // under this id: another connection has taken it.
  void detach(std::string_view id, const std::shared_ptr<ManagedSession>& session, Instant expires);
  // The session cannot be resumed any more: it ended in an orderly way (XEP-0198 §5), or the server said <failed/>.
  void forget(std::string_view id, const std::shared_ptr<ManagedSession>& session);

  // <resume previd=…/> of a client that is signed in as `own` (bare JID): the session as it was left, which now belongs
  // to this connection; null: unknown, expired, or another's. If an old connection still had it, what that one holds is
  // from now on an abandoned session.
  // Whether take() would find it, if it has not expired.
  bool knows(std::string_view id, std::string_view own) const;
  std::shared_ptr<ManagedSession> take(std::string_view id, std::string_view own, Instant now);

  std::size_t size() const { return sessions_.size(); }
  std::size_t memory() const;

 private:
  struct Entry {
    std::shared_ptr<ManagedSession> session;
    std::optional<Instant> expires;  // nullopt: a connection is up
  };
  using Sessions = std::unordered_map<std::string, Entry>;
  Sessions::iterator find(std::string_view id, const std::shared_ptr<ManagedSession>& session);
  void erase(Sessions::iterator entry);
  void expire(Instant now);

  std::size_t suspended_max_;
  Sessions sessions_;
  std::set<std::pair<Instant, std::string>> by_expiry_;  // those without a connection
};

}  // namespace chancery::xmpp
