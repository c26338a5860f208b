#include <cstdlib>

#include "sensor/meta/tls.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery::sensor;
  const chancery::Bytes octets{reinterpret_cast<const char*>(data), size};
  ClientHello hello;
  const Parsed whole = parse_client_hello(octets, hello);
  // What a shorter begin refuses, more octets cannot make good.
  if (size > 0 && whole == Parsed::yes && parse_client_hello(octets.substr(0, size / 2), hello) == Parsed::no)
    std::abort();
  ServerFlight flight;
  (void)parse_server_flight(octets, flight);
  if (flight.certificate.size() > kTlsNamesMax) std::abort();
  (void)parse_client_hello_message(octets, hello);
  (void)is_tls_records(octets);
  return 0;
}
