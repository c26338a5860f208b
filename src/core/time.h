#pragma once
// Points in time. Nothing below net/ reads a clock: an Instant is always an argument.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace chancery {

// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time). Valid until the year 2262.
using Instant = std::chrono::sys_time<std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;

inline std::int64_t unix_ns(Instant t) { return t.time_since_epoch().count(); }
inline Instant from_unix_ns(std::int64_t ns) { return Instant{Duration{ns}}; }

// "2026-05-03T09:12:44.123456Z": always UTC, always microseconds (RFC 3339).
std::string to_rfc3339(Instant t);

// Accepts RFC 3339 date-times with `Z` or a numeric offset, 0-9 fraction digits, and also a bare date
// ("2026-05-03" = its first instant in UTC). Anything else: nullopt.
std::optional<Instant> parse_rfc3339(std::string_view text);

}  // namespace chancery
