#pragma once
// Figures as people read them.
#include <cstdint>
#include <string>
#include <vector>

#include "sensor/report/summary.h"

namespace chancery::sensor {

std::string in_bytes(std::uint64_t bytes);                      // "999 B", "1.2 kB", "3.4 GB": powers of 1,000
std::string in_rate(double bytes_per_second);                   // "1.2 Mbit/s"
std::string in_share(std::uint64_t part, std::uint64_t whole);  // "12.3 %"; "-" of nothing
std::string_view in_words(Category category);                   // "Messengers", "Peer to peer", …

// Those with flows, [0] (unnamed) left out: by category, then by bytes.
std::vector<std::size_t> applications_in_order(const Summary& summary);
// The busiest step of time: bytes a second.
double peak_of(const Timeline& timeline, std::size_t application);

}  // namespace chancery::sensor
