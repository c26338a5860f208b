#pragma once
// What the sensor finds in the flows it reads, as it finds it. Views end with the call.
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/time.h"
#include "event/event.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

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
};

// A secret that went over the wire in clear: an alert. The secret itself is never here.
struct SeenCredential {
  Instant time;
  std::string_view protocol;
  std::string_view user;  // empty: not known
  std::string_view what;  // "sasl PLAIN", "pass", "basic", …
  Endpoint client, server;
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
  virtual void credential(const SeenCredential& credential) = 0;
  virtual void url(const SeenUrl& url) = 0;
};

}  // namespace chancery::sensor
