#include "sensor/report/html.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "core/utf8.h"
#include "sensor/report/words.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kCurvesMax = 6;     // applications with a curve of their own
constexpr std::size_t kServersShown = 8;  // of one application
constexpr std::array<const char*, kCurvesMax + 1> kColours{"#2563eb", "#dc2626", "#16a34a", "#9333ea",
                                                           "#ea580c", "#0891b2", "#9ca3af"};
constexpr double kWidth = 860, kHeight = 220, kLeft = 80, kBottom = 24;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>What goes round the gateway</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body{font:15px/1.5 system-ui,sans-serif;color:#111;max-width:920px;margin:2em auto;padding:0 1em}
h1{font-size:1.6em}h2{font-size:1.2em;margin-top:2em}
table{border-collapse:collapse;width:100%}th,td{padding:.3em .6em;text-align:right;border-bottom:1px solid #e5e7eb}
th:first-child,td:first-child{text-align:left}td.l{text-align:left;color:#555;font-size:.9em}
.n{color:#555}svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#444}
.k{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}
</style></head><body>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : to_utf8_lossy(text)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) out += c;
    }
  }
  return out;
}

bool is_messenger(Category category) { return category != Category::other; }

// The busiest messengers and P2P; all else is one curve.
std::vector<std::size_t> curves_of(const Summary& summary) {
  std::vector<std::size_t> chosen;
  for (const std::size_t number : applications_in_order(summary))
    if (is_messenger(summary.applications()[number].category)) chosen.push_back(number);
  std::ranges::stable_sort(chosen, std::ranges::greater{},
                           [&](std::size_t number) { return summary.applications()[number].bytes(); });
  if (chosen.size() > kCurvesMax) chosen.resize(kCurvesMax);
  return chosen;
}

std::string curve(const Timeline& timeline, std::size_t application, double most, const char* colour) {
  std::string points;
  const std::size_t steps = timeline.used();
  for (std::size_t step = 0; step < steps; ++step) {
    const double x = kLeft + (kWidth - kLeft) * (static_cast<double>(step) + 0.5) / static_cast<double>(steps);
    const double y = kHeight * (1 - static_cast<double>(timeline.at(application, step)) / most);
    points += fmt::format("{:.1f},{:.1f} ", x, y + 4);
  }
  return fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\" points=\"{}\"/>\n", colour, points);
}

void add_plot(std::string& out, const Summary& summary) {
  const Timeline& timeline = summary.timeline();
  const auto chosen = curves_of(summary);
  if (chosen.empty() || timeline.used() == 0) return;
  std::uint64_t most = 1;
  for (const std::size_t number : chosen)
    for (std::size_t step = 0; step < timeline.used(); ++step) most = std::max(most, timeline.at(number, step));
  const double seconds = std::chrono::duration<double>(timeline.step()).count();
  out += fmt::format(
      "<h2>Over time</h2>\n<p class=\"n\">One point is {:.0f} s.</p>\n<svg viewBox=\"0 0 {} {}\" role=\"img\">\n",
      seconds, kWidth, kHeight + kBottom);
  for (int line = 0; line <= 4; ++line) {
    const double y = 4 + kHeight * line / 4;
    out += fmt::format(
        "<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#e5e7eb\"/><text x=\"0\" "
        "y=\"{:.1f}\">{}</text>\n",
        kLeft, kWidth, y, y, y + 4, in_rate(static_cast<double>(most) * (4 - line) / 4 / seconds));
  }
  for (std::size_t i = 0; i < chosen.size(); ++i)
    out += curve(timeline, chosen[i], static_cast<double>(most), kColours[i]);
  const Instant end = timeline.begin() + timeline.step() * static_cast<std::int64_t>(timeline.used());
  out += fmt::format(
      "<text x=\"{}\" y=\"{}\">{}</text><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></svg>\n<p>", kLeft,
      kHeight + 20, to_rfc3339(timeline.begin()).substr(0, 19), kWidth, kHeight + 20, to_rfc3339(end).substr(0, 19));
  for (std::size_t i = 0; i < chosen.size(); ++i)
    out += fmt::format("<span class=\"k\" style=\"background:{}\"></span>{}", kColours[i],
                       escaped(summary.applications()[chosen[i]].name));
  out += "</p>\n";
}

// One bar: how the bytes are shared by category.
void add_shares(std::string& out, const Summary& summary) {
  std::array<std::uint64_t, 6> bytes{};  // by category; last: unnamed and what is no flow
  for (std::size_t i = 1; i < summary.applications().size(); ++i)
    bytes[static_cast<std::size_t>(summary.applications()[i].category)] += summary.applications()[i].bytes();
  std::uint64_t named = 0;
  for (const std::uint64_t each : bytes) named += each;
  bytes[5] = summary.bytes() - std::min(named, summary.bytes());
  const double whole = static_cast<double>(std::max<std::uint64_t>(summary.bytes(), 1));
  out += fmt::format("<h2>Share of bandwidth</h2>\n<svg viewBox=\"0 0 {} 34\" role=\"img\">\n", kWidth);
  double x = 0;
  std::string legend = "<p>";
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == 0) continue;
    const double width = kWidth * static_cast<double>(bytes[i]) / whole;
    const std::string_view name = i == 5 ? std::string_view{"Without a name"} : in_words(static_cast<Category>(i));
    out +=
        fmt::format("<rect x=\"{:.1f}\" y=\"4\" width=\"{:.1f}\" height=\"26\" fill=\"{}\"/>\n", x, width, kColours[i]);
    legend += fmt::format("<span class=\"k\" style=\"background:{}\"></span>{} {}", kColours[i], name,
                          in_share(bytes[i], summary.bytes()));
    x += width;
  }
  out += "</svg>\n" + legend + "</p>\n";
}

std::string servers_of(const ApplicationSum& sum) {
  std::vector<std::pair<std::uint64_t, std::string_view>> servers;
  for (const auto& [name, bytes] : sum.servers) servers.emplace_back(bytes, name);
  std::ranges::sort(servers, std::ranges::greater{});
  std::string out;
  for (std::size_t i = 0; i < std::min(servers.size(), kServersShown); ++i)
    out += fmt::format("{}{}", i > 0 ? ", " : "", escaped(servers[i].second));
  if (servers.size() > kServersShown) out += fmt::format(" and {} more", servers.size() - kServersShown);
  return out;
}

void add_tables(std::string& out, const Summary& summary) {
  std::optional<Category> category;
  for (const std::size_t number : applications_in_order(summary)) {
    const ApplicationSum& sum = summary.applications()[number];
    if (category != sum.category) {
      if (category) out += "</table>\n";
      category = sum.category;
      out += fmt::format(
          "<h2>{}</h2>\n<table><tr><th></th><th>hosts</th><th>flows</th><th>up</th><th>down</th><th>share</th>"
          "<th>peak</th><th>managed</th></tr>\n",
          in_words(sum.category));
    }
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        escaped(sum.name), sum.hosts.size(), sum.flows, in_bytes(sum.bytes_up), in_bytes(sum.bytes_down),
        in_share(sum.bytes(), summary.bytes()), in_rate(peak_of(summary.timeline(), number)), sum.managed);
    if (is_messenger(sum.category))
      out += fmt::format("<tr><td class=\"l\" colspan=\"8\">{}</td></tr>\n", servers_of(sum));
  }
  if (category) out += "</table>\n";
}

void add_limits(std::string& out, const Summary& summary) {
  const auto& covers = summary.covers();
  const auto share = [&](Cover cover) {
    const CoverSum& sum = covers[static_cast<std::size_t>(cover)];
    return fmt::format("{} ({}, {} flows)", in_bytes(sum.bytes), in_share(sum.bytes, summary.bytes()), sum.flows);
  };
  const ApplicationSum& unnamed = summary.applications()[0];
  out += fmt::format("<h2>What could not be seen</h2>\n<ul>\n<li>Without a name: {} ({}), {} flows of {} hosts</li>\n",
                     in_bytes(unnamed.bytes()), in_share(unnamed.bytes(), summary.bytes()), unnamed.flows,
                     unnamed.hosts.size());
  out += fmt::format(
      "<li>Encrypted by TLS, named by what is around it: {}</li>\n<li>QUIC, which a reset cannot stop: {}</li>\n",
      share(Cover::tls), share(Cover::quic));
  out += fmt::format("<li>With the server's name encrypted: {}</li>\n", share(Cover::encrypted_hello));
  if (summary.dropped())
    out += fmt::format("<li>Dropped by the kernel or the interface: {} packets</li>\n", *summary.dropped());
  for (std::size_t i = 0; i < kSkips; ++i)
    if (const auto count = summary.skipped().of(static_cast<Skip>(i)); count > 0)
      out += fmt::format("<li>Skipped, {}: {}</li>\n", to_string(static_cast<Skip>(i)), count);
  out += "</ul>\n";
}

}  // namespace

std::string to_html(const Summary& summary) {
  std::string out{kHead};
  out += "<h1>What goes round the gateway</h1>\n";
  out += fmt::format("<p>{} packets, {}", summary.packets(), in_bytes(summary.bytes()));
  if (summary.first())
    out += fmt::format(", from {} to {} (UTC)", to_rfc3339(*summary.first()).substr(0, 19),
                       to_rfc3339(*summary.last()).substr(0, 19));
  out += fmt::format(". Readable by anyone on the way: {} messages, {} credentials.</p>\n", summary.messages_seen(),
                     summary.credentials_seen());
  add_shares(out, summary);
  add_plot(out, summary);
  add_tables(out, summary);
  add_limits(out, summary);
  out += "</body></html>\n";
  return out;
}

}  // namespace chancery::sensor
