#pragma once
// The head of an HTTP/1 message (RFC 9112): who is asked for what, and what it turns into. Values are views of the
// octets given.
#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "sensor/meta/tls.h"

namespace chancery::sensor {

inline constexpr std::size_t kHttpLinesMax = 128;  // lines of one head

struct HttpHead {
  bool request = false;
  Bytes method, target;      // of a request
  std::uint16_t status = 0;  // of a response
  Bytes host, user_agent, upgrade, content_type, subprotocol, server, accept, origin;
  bool gnutella = false;  // a header that begins with "X-Gnutella" or "X-Try-Ultrapeers"
  bool complete = false;  // the empty line was seen
  std::size_t size = 0;   // octets of the head, with the empty line
};

// `yes` as soon as the first line is a request or status line; `complete` says whether the head is whole.
Parsed parse_http(Bytes octets, HttpHead& out);

// A request's server as a normal host name without its port: from CONNECT's or an absolute target, else from Host.
// Empty: none, or an address.
std::string http_host(const HttpHead& head);

// Case-insensitive, ASCII.
bool equals_ignoring_case(Bytes a, Bytes b);
bool contains_ignoring_case(Bytes text, Bytes part);

// A WebSocket frame's header (RFC 6455 §5.2) with legal bits and opcode, and a size that is encoded shortest.
struct WebSocketFrame {
  std::uint8_t opcode = 0;
  bool masked = false;
  std::size_t head_size = 0;
  std::uint64_t payload_size = 0;
};
Parsed parse_websocket_frame(Bytes octets, WebSocketFrame& out);

}  // namespace chancery::sensor
