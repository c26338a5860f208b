#include <array>
#include <chrono>
#include <limits>

#include "config/reading.h"

namespace chancery::config {
namespace {

using gateway::Limits;

// One line a limit: the key, the member, the range. Zero is in the range only where it means "no bound".
struct Number {
  std::string_view key;
  std::uint32_t Limits::* member;
  std::uint32_t min, max;
};
struct Seconds {
  std::string_view key;
  std::chrono::seconds Limits::* member;
  std::int64_t min, max;
};

constexpr std::array kNumbers = std::to_array<Number>({
    {"connections_max", &Limits::connections_max, 1, 1'000'000},
    {"connections_per_address_max", &Limits::connections_per_address_max, 0, 1'000'000},
    {"rate_units_per_second", &Limits::rate_units_per_second, 0, 1'000'000},
    {"rate_burst_units", &Limits::rate_burst_units, 1, 10'000'000},
    {"unit_size_bytes", &Limits::unit_size_bytes, 10'000, 4'000'000},  // RFC 6120 §13.12: not below 10,000
    {"pending_units_max", &Limits::pending_units_max, 1, 1'000'000},
    {"pending_bytes_max", &Limits::pending_bytes_max, 65'536, 1U << 30},
    {"send_queue_bytes_max", &Limits::send_queue_bytes_max, 65'536, 1U << 30},
    {"journal_queue_records_max", &Limits::journal_queue_records_max, 256, 10'000'000},
    {"journal_priority", &Limits::journal_priority, 0, 20},
    {"match_entries_max", &Limits::match_entries_max, 1'000, 100'000'000},
});

constexpr std::array kSeconds = std::to_array<Seconds>({
    {"handshake_seconds", &Limits::handshake_seconds, 1, 300},
    {"sign_in_seconds", &Limits::sign_in_seconds, 1, 3'600},
    {"idle_seconds", &Limits::idle_seconds, 0, 604'800},
    {"connect_seconds", &Limits::connect_seconds, 1, 300},
    {"drain_seconds", &Limits::drain_seconds, 0, 600},
    {"send_stall_seconds", &Limits::send_stall_seconds, 1, 3'600},
});

constexpr auto kKeys = [] {
  std::array<std::string_view, kNumbers.size() + kSeconds.size()> keys;
  std::size_t n = 0;
  for (const auto& number : kNumbers) keys[n++] = number.key;
  for (const auto& seconds : kSeconds) keys[n++] = seconds.key;
  return keys;
}();

}  // namespace

Limits read_limits(const yaml::Value& value) {
  Limits limits;
  const auto map = value.map(kKeys);
  for (const auto& [key, member, min, max] : kNumbers)
    if (const auto given = map.find(key)) limits.*member = static_cast<std::uint32_t>(given->number(min, max));
  for (const auto& [key, member, min, max] : kSeconds)
    if (const auto given = map.find(key)) limits.*member = std::chrono::seconds{given->number(min, max)};
  if (limits.pending_bytes_max < limits.unit_size_bytes)
    value.fail("pending_bytes_max must not be smaller than unit_size_bytes: one unit could never pass");
  return limits;
}

}  // namespace chancery::config
