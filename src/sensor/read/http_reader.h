#pragma once
// HTTP/1 that is only watched: which URLs are asked for, credentials in clear, BOSH (XEP-0206), and what is said in a
// WebSocket that a request turns into.
#include <memory>
#include <string>

#include "sensor/read/reading.h"

namespace chancery::sensor {

inline constexpr std::size_t kUrlMax = 2'048;
inline constexpr std::size_t kFormMax = 4'096;  // octets of a form that are looked at for a password

// `target` as the request line has it, made absolute, with what may be secret in it replaced by "***": the user's part,
// and values of parameters that are called like a secret.
std::string public_url(std::string_view host, std::string_view target);

std::unique_ptr<FlowReader> make_http_reader(Reading& reading, const FlowView& flow);

}  // namespace chancery::sensor
