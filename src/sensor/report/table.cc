#include "sensor/report/table.h"

#include <algorithm>
#include <fmt/format.h>

#include "sensor/report/words.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kNameWidth = 24;

void add_row(std::string& out, std::string_view name, const ApplicationSum& sum, std::uint64_t all_bytes, double peak) {
  std::string shown{name.substr(0, kNameWidth)};
  if (name.size() > kNameWidth) shown.replace(kNameWidth - 1, 1, "…");
  out += fmt::format("  {:<24} {:>6}{} {:>8} {:>10} {:>10} {:>8} {:>13} {:>8}\n", shown, sum.hosts.size(),
                     sum.hosts.size() >= kHostsMax ? "+" : " ", sum.flows, in_bytes(sum.bytes_up),
                     in_bytes(sum.bytes_down), in_share(sum.bytes(), all_bytes), in_rate(peak), sum.managed);
}

void add_head(std::string& out, const Summary& summary) {
  out += fmt::format("{} packets, {}", summary.packets(), in_bytes(summary.bytes()));
  if (summary.first())
    out += fmt::format(", from {} to {} UTC", to_rfc3339(*summary.first()).substr(0, 19),
                       to_rfc3339(*summary.last()).substr(0, 19));
  out += "\n";
}

void add_what_is_not_seen(std::string& out, const Summary& summary) {
  const auto& covers = summary.covers();
  const CoverSum& quic = covers[static_cast<std::size_t>(Cover::quic)];
  const CoverSum& hidden = covers[static_cast<std::size_t>(Cover::encrypted_hello)];
  const CoverSum& tls = covers[static_cast<std::size_t>(Cover::tls)];
  out += "\nNot seen\n";
  const ApplicationSum& unnamed = summary.applications()[0];
  out += fmt::format("  without a name: {} flows of {} hosts, {} ({})\n", unnamed.flows, unnamed.hosts.size(),
                     in_bytes(unnamed.bytes()), in_share(unnamed.bytes(), summary.bytes()));
  out += fmt::format("  encrypted, named by what is around it: TLS {} ({}), QUIC {} ({})\n", in_bytes(tls.bytes),
                     in_share(tls.bytes, summary.bytes()), in_bytes(quic.bytes), in_share(quic.bytes, summary.bytes()));
  if (hidden.flows > 0)
    out += fmt::format("  with the server's name encrypted: {} flows, {}\n", hidden.flows, in_bytes(hidden.bytes));
  if (summary.dropped())
    out += fmt::format("  dropped by the kernel or the interface: {} packets\n", *summary.dropped());
  std::string skipped;
  for (std::size_t i = 0; i < kSkips; ++i)
    if (const auto count = summary.skipped().of(static_cast<Skip>(i)); count > 0)
      skipped += fmt::format("{}{} {}", skipped.empty() ? "" : ", ", to_string(static_cast<Skip>(i)), count);
  if (!skipped.empty()) out += fmt::format("  skipped: {}\n", skipped);
}

}  // namespace

std::string to_table(const Summary& summary) {
  std::string out;
  add_head(out, summary);
  const auto order = applications_in_order(summary);
  std::optional<Category> category;
  for (const std::size_t number : order) {
    const ApplicationSum& sum = summary.applications()[number];
    if (category != sum.category) {
      category = sum.category;
      out += fmt::format("\n{:<26} {:>6}  {:>8} {:>10} {:>10} {:>8} {:>13} {:>8}\n", in_words(sum.category), "hosts",
                         "flows", "up", "down", "share", "peak", "managed");
    }
    add_row(out, sum.name, sum, summary.bytes(), peak_of(summary.timeline(), number));
  }
  if (order.empty()) out += "\nNothing could be named.\n";
  out += fmt::format("\nRead in clear: {} messages ({} legs seen), {} credentials\n", summary.messages_seen(),
                     summary.message_legs(), summary.credentials_seen());
  add_what_is_not_seen(out, summary);
  return out;
}

}  // namespace chancery::sensor
