#pragma once
// What the sensor finds in the flows it reads, as it finds it. Views end with the call.
#include <cstdint>
#include <optional>
#include <string_view>

#include "codec/codec.h"
#include "core/time.h"
#include "event/event.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

// Where the reader stood when it found something.
struct SeenPlace {
  std::uint64_t flow = 0;         // a number of the flow's own, from 1
  Side side = Side::client;       // who sent it
  const Unit* unit = nullptr;     // of the codec; null: there is none for it
  std::uint64_t unit_number = 0;  // the same for what came in one unit
};

// One leg of one message.
struct SeenMessage {
  Instant time;               // of the packet that completed it
  std::string_view protocol;  // "xmpp", "irc", "oscar", "winpopup", …
  std::string_view from;      // empty: the wire does not say
  std::string_view to;        // the receivers, separated by commas, or the room; empty: the wire does not say
  std::string_view text;
  Endpoint client, server;
  std::optional<std::uint64_t> copy_of;  // the number of the message, from 0, whose later leg this is
  const Event* event = nullptr;          // as the codec gave it; null: there is no codec for it
  SeenPlace place;
  std::uint64_t number = 0;  // what `copy_of` of later legs says
};

// One leg of what is no message and yet belongs on a record: a sign-in, a file that is offered, what is withdrawn,
// reacted to, or said under end-to-end encryption.
struct SeenEvent {
  Instant time;
  std::string_view protocol;
  const Event& event;
  Endpoint client, server;
  std::optional<std::uint64_t> copy_of;  // the number of the event whose later leg this is
  SeenPlace place;
  std::uint64_t number = 0;  // never one of a message
};

// A secret that went over the wire in clear: an alert. The secret itself is never here.
struct SeenCredential {
  Instant time;
  std::string_view protocol;
  std::string_view user;  // empty: not known
  std::string_view what;  // "sasl PLAIN", "pass", "basic", …
  Endpoint client, server;
  SeenPlace place;
};

struct SeenUrl {
  Instant time;
  std::string_view method;
  std::string_view url;  // without what may be secret in it (see docs/guide/sensor.md)
  Endpoint client, server;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void message(const SeenMessage& message) = 0;
  virtual void event(const SeenEvent& /*event*/) {}
  virtual void credential(const SeenCredential& credential) = 0;
  virtual void url(const SeenUrl& url) = 0;
};

}  // namespace chancery::sensor
