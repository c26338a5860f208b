#pragma once
// What all sessions of one loop share, and what they ask of the gateway. Loop thread only.
#include <deque>
#include <list>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "codec/codec.h"
#include "gateway/config.h"
#include "gateway/legs.h"
#include "gateway/notices.h"
#include "gateway/recorder.h"
#include "gateway/stats.h"
#include "net/dialer.h"
#include "net/log.h"
#include "net/loop.h"
#include "net/tls.h"
#include "policy/stage.h"

namespace chancery::gateway {

class Session;

// Whether a route's upstream answers. Outlives a reload.
struct Upstream {
  std::optional<Instant> down_since;
};

// One listener as it was configured when a session began: immutable, so a reload never changes a session under way.
struct Service {
  Listener config;
  const Protocol* protocol = nullptr;
  std::shared_ptr<const net::TlsContext> client_side;  // set unless config.tls is none
  std::shared_ptr<const net::TlsContext> server_side;  // set unless config.route.tls is none
  std::shared_ptr<chancery::Shared> shared;            // Protocol::make_shared; outlives a reload
  std::shared_ptr<Upstream> upstream;
};

// A notice that became due, and with which event.
struct DueNotice {
  policy::Notice notice;
  Instant since;
  std::optional<Event> about;  // only where it is to be shown in that event's conversation
};

// A unit on its way: read, judged, recorded, and waiting to be durable.
struct Pending {
  struct Judged {
    ConversationId conversation;
    std::optional<Legs::Match> match;    // a later leg: recorded already, gets a delivery
    Verdict verdict = Verdict::forward;  // of the decision
    bool own_conversation = false;       // network scope: the connection's
    bool history = false;                // a delayed copy without original
  };
  Unit unit;
  std::size_t wire_size = 0;  // the codec may take the unit's wire away
  Instant read_at;
  std::vector<Decision> decisions;  // one an event; none once the codec needs them no more (Unit::forwards_wire)
  std::vector<Judged> judged;       // one an event
  std::vector<DueNotice> notices;
  std::size_t recorded = 0;                 // events that are appended or need no record
  std::optional<std::uint64_t> wire_index;  // the record that holds the wire
  std::uint64_t wait_for = 0;               // the log's durable size that lets the unit go
};

// Sessions that can be resumed: the key that the codec named, and whose it is. Oldest forgotten first.
class Resumptions {
 public:
  static constexpr std::size_t kMax = 100'000;
  struct Known {
    SessionId session;
    std::string account;
    std::weak_ptr<Session> connection;  // that has it, or had it last
  };
  void add(const std::string& key, Known known);
  const Known* find(const std::string& key) const;

 private:
  std::unordered_map<std::string, Known> known_;
  std::deque<std::string> order_;
};

struct Shop {
  net::Loop& loop;
  net::Log& log;
  net::Resolver& resolver;
  Limits limits;  // of new sessions, and of old ones where that can be changed
  std::shared_ptr<const policy::Policy> policy;
  Recorder& recorder;
  Conversations& conversations;
  Legs legs;
  Notices notices = {};
  Stats& stats;
  Resumptions resumptions = {};
  bool journal_failed = false;

  // Scratch, for the length of one call, and nodes to use again: the message path allocates little.
  std::vector<Unit> units = {};
  Outbox outbox = {};
  std::list<Pending> spare = {};
  static constexpr std::size_t kSpareMax = 1'024;

  // Who waits for the log to be durable up to where; the smallest first, each session once.
  struct Waiting {
    std::uint64_t size;
    std::shared_ptr<Session> session;
    bool operator<(const Waiting& right) const { return size > right.size; }
  };
  std::priority_queue<Waiting> waiting = {};
  std::vector<std::shared_ptr<Session>> blocked = {};  // have units that the journal's queue did not take
  std::vector<std::shared_ptr<Session>> heirs = {};    // wait until the connection that they take over from is gone

  std::function<void(Session&)> retire = {};  // the session is over
  std::function<void()> delivery_waits = {};  // deliveries wait to be written
};

}  // namespace chancery::gateway
