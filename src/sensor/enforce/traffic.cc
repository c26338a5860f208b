#include "sensor/enforce/traffic.h"

#include <algorithm>

#include "sensor/meta/dns.h"

namespace chancery::sensor {
namespace {

constexpr std::uint16_t kDnsPort = 53;

Seen row_of(const Flow& flow, std::string_view application, Category category, bool managed) {
  Seen row;
  row.client = flow.client().address;
  row.server = flow.server();
  row.transport = flow.transport;
  row.application = application;
  row.category = category;
  if (flow.name) {
    row.host = flow.name->host;
    row.evidence = flow.name->evidence;
  }
  row.managed = managed;
  row.first = flow.first;
  row.last = flow.last;
  return row;
}

}  // namespace

void TrafficCollector::packet(const Flow& flow, const Packet& packet, Side from) {
  // Port 53 only says where to look; that it is an answer, the parser says.
  if (flow.transport != Transport::udp || from != Side::server || flow.server().port != kDnsPort) return;
  const auto answer = parse_dns(packet.payload);
  if (!answer || !answer->response || answer->question.empty()) return;
  const HostRule* rule = hosts_.find(answer->question);
  for (const DnsAnswer& at : answer->addresses) {
    Seen row;
    row.client = flow.client().address;
    row.server = {at.address, 0};
    row.application = rule == nullptr || rule->application == "-" ? "" : rule->application;
    row.category = rule == nullptr ? Category::other : rule->category;
    row.host = answer->question;
    row.evidence = "dns";
    row.first = row.last = packet.time;
    add(std::move(row));
  }
}

// A flow that is named counts at once: some last for days.
void TrafficCollector::named(const Flow& flow, const Named& named, bool managed) {
  Seen row = row_of(flow, named.application, named.category, managed);
  row.flows = 1;
  add(std::move(row));
}

void TrafficCollector::ended(const Flow& flow, std::string_view application, Category category, bool managed) {
  // What carried nothing (a scan, an answer that never came) is neither wanted nor unwanted.
  if (!flow.name && flow.traffic[0].payload + flow.traffic[1].payload == 0) return;
  Seen row = row_of(flow, application, category, managed);
  row.flows = flow.name ? 0 : 1;  // a named one was counted
  row.bytes = flow.bytes();
  add(std::move(row));
}

void TrafficCollector::add(Seen row) {
  Key key{row.client, row.server, row.transport, row.application, row.host, row.managed};
  const auto found = rows_.find(key);
  if (found == rows_.end()) {
    if (rows_.size() < kRowsMax)
      rows_.emplace(std::move(key), std::move(row));
    else
      ++lost_;
    return;
  }
  Seen& sum = found->second;
  sum.first = std::min(sum.first, row.first);
  sum.last = std::max(sum.last, row.last);
  sum.flows += row.flows;
  sum.bytes += row.bytes;
}

std::vector<Seen> TrafficCollector::take() {
  std::vector<Seen> out;
  out.reserve(rows_.size());
  for (auto& [key, row] : rows_) out.push_back(std::move(row));
  rows_.clear();
  return out;
}

}  // namespace chancery::sensor
