#pragma once
// What a TCP stream's begin says by itself: steps 1 and 2 of decider.h. Without memory of other flows.
#include <optional>
#include <string>

#include "sensor/classify/hosts.h"
#include "sensor/classify/probe.h"

namespace chancery::sensor {

struct Content {
  enum class State : std::uint8_t {
    unknown,  // nothing recognised yet
    carrier,  // TLS, say, whose name is hidden: `named` is what to call it if nothing else tells
    wait,     // recognised, and more octets will tell more
    named
  };
  State state = State::unknown;
  Named named;
  std::string shown_name;  // a server name that the flow showed, listed or not: for learning; empty: none
  bool shared = false;     // its certificate is for several applications, or for what is none: what was learned of the
                           // address does not say which of them it was
};

// With `last_chance`, never `wait`.
Content judge_stream(const FlowStart& flow, const Hosts& hosts, bool last_chance);

// The name of a TLS or QUIC server. `named.cover` is set by the caller's carrier.
struct ClientHello;
Content judge_hello(const ClientHello& hello, const Hosts& hosts, std::string_view carrier);

}  // namespace chancery::sensor
