#include "sensor/report/summary.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "core/json.h"

namespace chancery::sensor {
namespace {

void write_endpoints(JsonWriter& json, const Endpoint& client, const Endpoint& server) {
  json.member("client", client.text()).member("server", server.text());
}

void write_time(JsonWriter& json, std::string_view key, std::optional<Instant> time) {
  json.key(key);
  time ? json.value(to_rfc3339(*time)) : json.null();
}

constexpr std::array<std::string_view, 4> kCovers{"", "tls", "quic", "encrypted_hello"};

}  // namespace

std::size_t AddressHash::operator()(const Address& address) const noexcept {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), address.octets.data(), sizeof halves);
  const std::uint64_t product =
      (halves[0] ^ 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL + halves[1] * 0x94d049bb133111ebULL;
  return product ^ product >> 31U;
}

Summary::Summary(Options options) : options_(std::move(options)), applications_(1) {}

void Summary::frame(Instant time, std::uint32_t wire_length) {
  if (packets_++ == 0) first_ = last_ = time;
  first_ = std::min(first_, time);
  last_ = std::max(last_, time);
  bytes_ += wire_length;
}

std::uint16_t Summary::application(std::string_view name, Category category) {
  if (const auto found = numbers_.find(name); found != numbers_.end()) {
    Category& known = applications_[found->second].category;
    if (known == Category::voip && category == Category::im) known = category;
    return found->second;
  }
  if (applications_.size() >= kApplicationsMax && name != "(others)") return application("(others)", Category::other);
  const auto number = static_cast<std::uint16_t>(applications_.size());
  applications_.emplace_back();
  applications_.back().name = name;
  applications_.back().category = category;
  numbers_.emplace(name, number);
  return number;
}

void Summary::packet(const Flow& flow, const Packet& packet) {
  timeline_.add(flow.name ? flow.name->application : 0, packet.time, packet.wire_length);
}

// What it carried until it was named was counted as unnamed; it is little, and moves at once.
void Summary::named(const Flow& flow) { timeline_.move(flow.name->application, flow.last, flow.bytes()); }

bool Summary::is_managed(const Flow& flow) const {
  return std::ranges::any_of(options_.gateways, [&](const Endpoint& gateway) {
    return std::ranges::any_of(flow.ends, [&](const Endpoint& end) {
      return end.address == gateway.address && (gateway.port == 0 || end.port == gateway.port);
    });
  });
}

void Summary::add_server(ApplicationSum& sum, const Flow& flow) {
  const std::string server = flow.name->host.empty() ? flow.server().address.text() : flow.name->host;
  if (const auto found = sum.servers.find(server); found != sum.servers.end())
    found->second += flow.bytes();
  else if (sum.servers.size() < kServersMax)
    sum.servers.emplace(server, flow.bytes());
}

void Summary::ended(const Flow& flow) {
  ApplicationSum& sum = applications_[flow.name ? flow.name->application : 0];
  ++sum.flows;
  sum.packets += flow.packets();
  sum.bytes_up += flow.traffic[0].bytes;
  sum.bytes_down += flow.traffic[1].bytes;
  if (sum.hosts.size() < kHostsMax) sum.hosts.insert(flow.client().address);
  if (!options_.gateways.empty() && is_managed(flow)) ++sum.managed;
  if (sum.category != Category::other) add_server(sum, flow);
  if (flow.name) {
    CoverSum& cover = covers_[static_cast<std::size_t>(flow.name->cover)];
    ++cover.flows;
    cover.bytes += flow.bytes();
  }
  if (!options_.flows) return;
  std::string row;
  JsonWriter json{row};
  json.begin_object().member("transport", to_string(flow.transport));
  write_endpoints(json, flow.client(), flow.server());
  json.member("application", sum.name).member("category", to_string(sum.category));
  json.member("evidence", flow.name ? std::string_view{flow.name->evidence} : std::string_view{});
  json.member("first", to_rfc3339(flow.first)).member("last", to_rfc3339(flow.last));
  json.member("packets", flow.packets()).member("bytes", flow.bytes());
  if (flow.name && !flow.name->host.empty()) json.member("host", flow.name->host);
  json.end_object();
  flows_.add(row);
}

void Summary::message(const SeenMessage& message) {
  if (!message.copy_of) ++messages_seen_;
  ++legs_seen_;
  if (!options_.messages) return;
  std::string row;
  JsonWriter json{row};
  json.begin_object().member("time", to_rfc3339(message.time)).member("protocol", message.protocol);
  json.member("from", message.from).member("to", message.to).member("text", message.text);
  write_endpoints(json, message.client, message.server);
  json.key("copy_of");
  message.copy_of ? json.value(*message.copy_of) : json.null();
  json.end_object();
  messages_.add(row);
}

void Summary::credential(const SeenCredential& credential) {
  std::string row;
  JsonWriter json{row};
  json.begin_object().member("time", to_rfc3339(credential.time)).member("protocol", credential.protocol);
  json.member("user", credential.user).member("what", credential.what);
  write_endpoints(json, credential.client, credential.server);
  json.end_object();
  credentials_.add(row);
}

void Summary::url(const SeenUrl& url) {
  if (!options_.urls) return;
  std::string row;
  JsonWriter json{row};
  json.begin_object().member("time", to_rfc3339(url.time)).member("method", url.method).member("url", url.url);
  write_endpoints(json, url.client, url.server);
  json.end_object();
  urls_.add(row);
}

// --- the document
// -----------------------------------------------------------------------------------------------------

void Summary::write_applications(std::string& out) const {
  std::vector<const ApplicationSum*> order;
  for (std::size_t i = 1; i < applications_.size(); ++i)
    if (applications_[i].flows > 0) order.push_back(&applications_[i]);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) {
    return a->category != b->category ? a->category < b->category : a->bytes() > b->bytes();
  });
  JsonWriter json{out};
  json.begin_array();
  for (const ApplicationSum* sum : order) {
    json.begin_object().member("name", sum->name).member("category", to_string(sum->category));
    json.member("flows", sum->flows).member("bytes", sum->bytes()).member("hosts", sum->hosts.size());
    json.member("managed", sum->managed).member("bytes_up", sum->bytes_up).member("bytes_down", sum->bytes_down);
    json.end_object();
  }
  json.end_array();
}

void Summary::write_rest(std::string& out) const {
  JsonWriter json{out};
  const ApplicationSum& unnamed = applications_[0];
  json.begin_object().member("flows", unnamed.flows).member("packets", unnamed.packets);
  json.member("bytes", unnamed.bytes()).member("hosts", unnamed.hosts.size()).end_object();
  out += ",\"unseen\":";
  JsonWriter unseen{out};
  unseen.begin_object();
  for (const Cover cover : {Cover::tls, Cover::quic, Cover::encrypted_hello}) {
    const CoverSum& sum = covers_[static_cast<std::size_t>(cover)];
    unseen.key(kCovers[static_cast<std::size_t>(cover)]).begin_object();
    unseen.member("flows", sum.flows).member("bytes", sum.bytes).end_object();
  }
  unseen.end_object();
  if (dropped_) out += fmt::format(",\"dropped\":{}", *dropped_);
  out += ",\"skipped\":";
  JsonWriter skipped{out};
  skipped.begin_object();
  for (std::size_t i = 0; i < kSkips; ++i)
    if (const auto count = skipped_.of(static_cast<Skip>(i)); count > 0)
      skipped.member(to_string(static_cast<Skip>(i)), count);
  skipped.end_object();
}

std::expected<void, std::string> Summary::write_json(const std::function<void(std::string_view)>& piece) {
  std::string text;
  JsonWriter json{text};
  json.begin_object().member("packets", packets_).member("bytes", bytes_);
  write_time(json, "first", first());
  write_time(json, "last", last());
  text += ",\"applications\":";
  write_applications(text);
  piece(text);
  const std::array<std::pair<std::string_view, Spool*>, 4> lists{
      {{"flows", &flows_}, {"messages", &messages_}, {"credentials", &credentials_}, {"urls", &urls_}}};
  for (const auto& [name, spool] : lists) {
    piece(",\"");
    piece(name);
    piece("\":[");
    if (const auto done = spool->read(piece); !done) return done;
    piece("]");
  }
  text = ",\"unnamed\":";
  write_rest(text);
  text += "}\n";
  piece(text);
  return {};
}

}  // namespace chancery::sensor
