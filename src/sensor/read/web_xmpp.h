#pragma once
// XMPP inside HTTP, given to the codec as the stream that it stands for: what the <body/>s of BOSH (XEP-0124, XEP-0206)
// and the messages of a WebSocket (RFC 7395) hold, behind the opening tags that both replace by something of their own.
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "sensor/read/reading.h"

namespace chancery::sensor {

inline constexpr std::size_t kBoshMax = 128 * 1024;  // octets of one <body/>; longer ones are not read

// Whether an HTTP body is BOSH's. Its type is not asked: libpurple sends it as the Content-Encoding.
bool is_bosh(std::string_view body);

class WebXmpp {
 public:
  WebXmpp(Reading& reading, const FlowView& flow) : reading_(reading), flow_(flow) {}

  void bosh(Side from, std::string_view body, Instant time);  // a whole one
  void websocket(Side from, std::string_view message, Instant time);
  void lost(Side from);
  std::size_t memory() const { return sizeof *this + (stream_ ? stream_->memory() : 0); }

 private:
  void begin(bool midstream);
  void open(Side from, std::string_view host, Instant time);

  Reading& reading_;
  const FlowView flow_;
  std::unique_ptr<FlowReader> stream_;
  std::array<bool, 2> opened_{};
  std::string host_;
};

}  // namespace chancery::sensor
