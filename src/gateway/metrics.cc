#include "gateway/metrics.h"

#include <algorithm>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <vector>

namespace chancery::gateway {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
 public:
  void counter(const char* name, const char* help, std::uint64_t value) { add(MetricType::Counter, name, help, value); }
  void gauge(const char* name, const char* help, std::uint64_t value) { add(MetricType::Gauge, name, help, value); }

  void labelled(const char* name, const char* help, const char* label,
                std::initializer_list<std::pair<const char*, std::uint64_t>> values) {
    MetricFamily& family = start(MetricType::Counter, name, help);
    for (const auto& [text, value] : values) {
      ClientMetric metric;
      metric.label.push_back({label, text});
      metric.counter.value = static_cast<double>(value);
      family.metric.push_back(std::move(metric));
    }
  }

  std::string text() const { return prometheus::TextSerializer{}.Serialize(families_); }

 private:
  MetricFamily& start(MetricType type, const char* name, const char* help) {
    MetricFamily& family = families_.emplace_back();
    family.type = type;
    family.name = name;
    family.help = help;
    return family;
  }
  void add(MetricType type, const char* name, const char* help, std::uint64_t value) {
    MetricFamily& family = start(type, name, help);
    ClientMetric metric;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = static_cast<double>(value);
    family.metric.push_back(std::move(metric));
  }
  std::vector<MetricFamily> families_;
};

}  // namespace

std::string metrics_text(const Stats& stats, const JournalState& journal) {
  Families out;
  out.gauge("chancery_connections", "Client connections now.", stats.connections);
  out.counter("chancery_connections_accepted_total", "Client connections ever.", stats.accepted);
  out.labelled("chancery_connections_ended_total", "Connections that a limit or a fault ended.", "why",
               {{"over_limit", stats.over_limit},
                {"handshake", stats.handshakes_failed},
                {"sign_in_time", stats.sign_ins_late},
                {"idle", stats.idle_ended},
                {"stalled", stats.stalled_ended},
                {"protocol_error", stats.protocol_errors},
                {"upstream_unreachable", stats.upstream_unreachable},
                {"upstream_lost", stats.upstream_lost}});
  const Counters& events = stats.events;
  out.counter("chancery_events_read_total", "Events read from clients and servers; the sum of all outcomes.",
              events.read);
  out.labelled("chancery_events_total", "What became of the events read.", "outcome",
               {{"forwarded", events.forwarded},
                {"redacted", events.redacted},
                {"refused", events.refused},
                {"held", events.held},
                {"undeliverable", events.undeliverable},
                {"unknown_after_crash", events.unknown_after_crash}});
  out.counter("chancery_later_legs_total", "Events that were later legs of a recorded one.", stats.matched);
  out.counter("chancery_deliveries_lost_total", "Deliveries that could not be recorded.", stats.deliveries_lost);
  out.counter("chancery_notices_total", "Notices shown.", stats.notices);
  out.counter("chancery_records_total", "Records appended to the journal.", stats.records);
  out.counter("chancery_unrecorded_total", "Events that passed unrecorded (forward-and-alarm).", stats.unrecorded);
  out.counter("chancery_journal_full_total", "Times that a session waited for the journal's queue.",
              stats.journal_full);
  out.gauge("chancery_journal_pending", "Records appended and not yet durable.",
            journal.next_index - std::min(journal.next_index, journal.durable_size));
  out.gauge("chancery_journal_durable_size", "Records that are durable.", journal.durable_size);
  out.gauge("chancery_journal_failed", "1: the journal takes nothing more.", journal.failed ? 1 : 0);
  out.labelled("chancery_reloads_total", "Configuration reloads.", "result",
               {{"applied", stats.reloads}, {"refused", stats.reloads_refused}});
  return out.text();
}

}  // namespace chancery::gateway
