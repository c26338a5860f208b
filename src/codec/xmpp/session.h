#pragma once
// What one connection's codec knows about the person who is signed in, shared by the readers of stanzas. It follows
// what was read (`feed`), not what was let through (`release`).
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "codec/xmpp/rooms.h"

namespace chancery::xmpp {

// A sign-in under way; gone when it is over.
struct SignIn {
  std::string mechanism;  // as <auth mechanism=…> names it, or "jabber:iq:auth"
  std::string username;   // the authentication identity where the mechanism shows it in clear
  std::string bind_id;    // of the client's <iq><bind/></iq>
  std::string iq_auth_id;
  bool first_response = false;  // the mechanism's first message is still to come, in a <response/>
  bool authenticated = false;
};

// An archive query (XEP-0313) whose answer is not complete.
struct ArchiveQuery {
  std::string iq_id;
  std::string query_id;  // empty: the client gave none
  std::string archive;   // bare JID of whose archive it is
};

// What the client said last, to know a bounce.
struct Sent {
  std::vector<std::uint64_t> digests;  // newest last
  std::uint64_t key = 0;               // makes them unforeseeable
};

struct Session {
  explicit Session(const Limits& l) : limits(l), rooms(std::make_shared<Rooms>(l)), sent(std::make_shared<Sent>()) {}

  static constexpr std::size_t kQueriesMax = 64;    // outstanding at one time; results of others are not believed
  static constexpr std::size_t kTransfersMax = 64;  // offers remembered, to know the transport that follows
  static constexpr std::size_t kSentMax = 32;       // own messages remembered, to know a bounce

  const Limits& limits;
  bool record_presence = false;
  bool midstream = false;  // the begin was not seen, so addresses and rooms are believed as they appear
  std::string own;         // bare JID in normal form; empty until known
  std::string own_full;
  std::string host;  // the domain that the client opened its stream to
  std::unique_ptr<SignIn> sign_in;
  std::shared_ptr<Rooms> rooms;  // this and `sent`: also of the connection that resumes this session (XEP-0198)
  std::shared_ptr<Sent> sent;
  std::vector<ArchiveQuery> queries;
  std::vector<std::string> transfers;  // session ids (SI, Jingle) that were offered as files

  // Who is signing in, as far as the mechanism has shown it: bare JID in normal form, or empty.
  std::string claimed() const;
  // The same, once the server has believed it.
  std::string proven() const;
  std::size_t memory() const;
};

}  // namespace chancery::xmpp
