// chancery detect: what IM and P2P goes round the gateway, from capture files or an interface.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <system_error>

#include "app/capture_input.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/end_signals.h"
#include "app/terminal.h"
#include "app/watch/hosts_input.h"
#include "sensor/capture/live.h"
#include "sensor/capture/rights.h"
#include "sensor/classify/decider.h"
#include "sensor/report/html.h"
#include "sensor/report/table.h"
#include "sensor/report/words.h"
#include "sensor/sensor.h"

namespace chancery::app {
namespace {

struct Arguments {
  std::vector<std::string> files;
  sensor::LiveOptions live;
  std::uint32_t ring_mib = 64;
  std::uint32_t seconds = 0;
  std::string user = "nobody";
  std::string html;
  std::vector<std::filesystem::path> hosts;
  std::vector<std::string> gateways;
  bool no_urls = false, not_promiscuous = false;
};

// Until Ctrl-C or SIGTERM, or its time is up; what was seen until then is shown.
void read_live(const Context& context, const Arguments& arguments, const EndSignals& signals,
               sensor::LiveCapture& capture, sensor::Sensor& sensor) {
  using Clock = std::chrono::steady_clock;
  constexpr int kWaitMs = 200;
  const auto end =
      arguments.seconds > 0 ? Clock::now() + std::chrono::seconds{arguments.seconds} : Clock::time_point::max();
  Progress progress;
  std::array<pollfd, 2> waits{{{capture.descriptor(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}}};
  while (Clock::now() < end) {
    if (::poll(waits.data(), waits.size(), kWaitMs) < 0 && errno != EINTR) break;
    if ((waits[1].revents & POLLIN) != 0) break;
    const auto read = capture.read([&](const sensor::Frame& frame) { sensor.frame(frame); });
    if (!read) {
      context.err << "chancery: " << read.error() << '\n';
      break;
    }
    sensor.tick(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
    const auto counts = capture.counts();
    progress.show(fmt::format("{}: {} packets, {} dropped", arguments.live.interface, sensor.summary().packets(),
                              counts.dropped + counts.interface_dropped));
  }
  // The kernel hands over what it has within kWaitMs.
  (void)::poll(waits.data(), 1, kWaitMs);
  (void)capture.read([&](const sensor::Frame& frame) { sensor.frame(frame); });
  const auto counts = capture.counts();
  sensor.summary().set_dropped(counts.dropped + counts.interface_dropped);
}

void write_html(std::ofstream& file, const std::string& path, const sensor::Summary& summary) {
  file << sensor::to_html(summary);
  file.close();
  if (!file) throw Failure(fmt::format("{} could not be written whole", path));
}

void check(const Arguments& arguments) {
  if (arguments.files.empty() == arguments.live.interface.empty())
    throw Failure("detect reads files or an interface: give -r FILE… or -i INTERFACE");
  if (arguments.seconds > 0 && arguments.live.interface.empty()) throw Failure("--seconds goes with -i INTERFACE");
}

Exit run_detect(const Context& context, const Arguments& arguments) {
  check(arguments);
  sensor::Sensor::Options options;
  options.flows.seed = random_seed();
  options.summary.flows = options.summary.messages = options.summary.urls = context.json;
  options.summary.gateways = watch::parse_gateways(arguments.gateways);
  options.read.urls = !arguments.no_urls;
  const sensor::Hosts hosts = watch::load_hosts(arguments.hosts);
  sensor::DeciderOptions deciding;
  deciding.hosts = &hosts;
  auto files = open_captures(arguments.files);
  std::ofstream html;
  if (!arguments.html.empty()) {
    html.open(arguments.html, std::ios::binary | std::ios::trunc);
    if (!html)
      throw Failure(fmt::format("{} cannot be written: {}", arguments.html, std::generic_category().message(errno)));
  }
  std::optional<sensor::LiveCapture> capture;
  std::optional<EndSignals> signals;
  if (!arguments.live.interface.empty()) {
    signals.emplace();  // first, so that none is missed
    sensor::LiveOptions live = arguments.live;
    live.ring_size = arguments.ring_mib << 20U;
    live.promiscuous = !arguments.not_promiscuous;
    auto opened = sensor::LiveCapture::open(live);
    if (!opened) throw Failure(opened.error());
    capture.emplace(std::move(*opened));
    if (const auto rights = sensor::drop_rights(arguments.user); !rights) throw Failure(rights.error());
  }
  sensor::Sensor sensor{options, sensor::make_decider(deciding)};
  read_captures(context, arguments.files, files, sensor);
  if (capture) read_live(context, arguments, *signals, *capture, sensor);
  sensor.finish();
  if (!arguments.html.empty()) write_html(html, arguments.html, sensor.summary());
  if (!context.json) {
    context.out << sensor::to_table(sensor.summary());
    return Exit::ok;
  }
  const auto done = sensor.summary().write_json([&](std::string_view piece) { context.out << piece; });
  if (!done) throw Failure(done.error());
  return Exit::ok;
}

void add_live_options(CLI::App& command, Arguments& arguments) {
  command.add_option("-i,--interface", arguments.live.interface, "Watch this interface; \"any\": all");
  command.add_option("--seconds", arguments.seconds, "For so long; left out: until Ctrl-C");
  command.add_option("--ring", arguments.ring_mib, "MiB of the ring that the kernel fills")
      ->check(CLI::Range(1U, 2'047U))
      ->capture_default_str();
  command.add_option("--snap-length", arguments.live.snap_length, "Octets of each packet")
      ->check(CLI::Range(64U, sensor::kFrameMax))
      ->capture_default_str();
  command.add_option("--user", arguments.user, "Who to become when started as root")->capture_default_str();
  command.add_flag("--not-promiscuous", arguments.not_promiscuous, "Only what is for this host");
}

}  // namespace

void add_detect(CLI::App& root, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      root, context, "detect", "Show which IM and P2P is in captured traffic",
      "  chancery detect -r monday.pcap tuesday.pcapng.gz --html report.html\n"
      "  chancery detect -r mirror.pcap --json\n"
      "  chancery detect -i eth1 --seconds 3600\n"
      "Files may be pcap or pcapng, plain or gzipped; - is standard input. What is in clear is read: --json shows it.\n"
      "On an interface all rights are dropped once it is open. docs/guide/sensor.md tells more.");
  command->add_option("-r,--read", arguments->files, "Capture files, read one after the other");
  add_live_options(*command, *arguments);
  command->add_option("--html", arguments->html, "Also write a report with plots, one file to hand on");
  command->add_option("--hosts", arguments->hosts, "Lists of hosts of your own, besides the built-in one");
  command->add_option("--gateway", arguments->gateways,
                      "Address[:port] of the gateway; several: any. Flows from or to it count as managed");
  command->add_flag("--no-urls", arguments->no_urls, "Keep no URLs");
  on_run(*command, context, [&context, arguments] { return run_detect(context, *arguments); });
}

}  // namespace chancery::app
