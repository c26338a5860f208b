#include <cstdlib>

#include "sensor/meta/http.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery::sensor;
  const chancery::Bytes octets{reinterpret_cast<const char*>(data), size};
  HttpHead head, half;
  const Parsed whole = parse_http(octets, head);
  if (whole == Parsed::yes && head.size > size) std::abort();
  if (whole == Parsed::yes && parse_http(octets.substr(0, size / 2), half) == Parsed::no) std::abort();
  (void)http_host(head);
  WebSocketFrame frame;
  if (parse_websocket_frame(octets, frame) == Parsed::yes && frame.head_size > 14) std::abort();
  return 0;
}
