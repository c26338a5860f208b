#include "sensor/report/words.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace chancery::sensor {

std::string in_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1'000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1'000;
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1'000;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string in_rate(double bytes_per_second) {
  const double bits = bytes_per_second * 8;
  if (bits < 1e3) return fmt::format("{:.0f} bit/s", bits);
  if (bits < 1e6) return fmt::format("{:.1f} kbit/s", bits / 1e3);
  if (bits < 1e9) return fmt::format("{:.1f} Mbit/s", bits / 1e6);
  return fmt::format("{:.1f} Gbit/s", bits / 1e9);
}

std::string in_share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string_view in_words(Category category) {
  switch (category) {
    case Category::im:
      return "Messengers";
    case Category::p2p:
      return "Peer to peer";
    case Category::voip:
      return "Voice and video";
    case Category::web_im:
      return "Messengers on the web";
    case Category::other:
      break;
  }
  return "Other traffic";
}

std::vector<std::size_t> applications_in_order(const Summary& summary) {
  const auto& all = summary.applications();
  std::vector<std::size_t> order;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i].flows > 0) order.push_back(i);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return all[a].category != all[b].category ? all[a].category < all[b].category : all[a].bytes() > all[b].bytes();
  });
  return order;
}

double peak_of(const Timeline& timeline, std::size_t application) {
  std::uint64_t most = 0;
  for (std::size_t step = 0; step < timeline.used(); ++step) most = std::max(most, timeline.at(application, step));
  return static_cast<double>(most) / std::chrono::duration<double>(timeline.step()).count();
}

}  // namespace chancery::sensor
