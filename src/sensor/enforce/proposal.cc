#include "sensor/enforce/proposal.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

namespace chancery::sensor {
namespace {

constexpr std::size_t kPortServersMin = 3;

// What is known of one possible target.
struct Case {
  std::map<std::string, std::uint64_t> applications;  // unwanted ones and their flows
  Category category = Category::other;
  std::string evidence;
  std::set<std::string> clients;
  std::uint64_t flows = 0, bytes = 0;
  Instant first = Instant::max(), last = Instant::min();
  std::string innocent;  // what else was seen there; empty: nothing

  void add(const Seen& seen, bool unwanted) {
    if (!unwanted) {
      if (innocent.empty()) innocent = describe(seen);
      return;
    }
    if (seen.flows == 0) return;  // a name without traffic speaks only for the innocent
    applications[seen.application] += seen.flows;
    category = seen.category;
    if (evidence.empty()) evidence = seen.evidence;
    clients.insert(seen.client.text());
    flows += seen.flows;
    bytes += seen.bytes;
    first = std::min(first, seen.first);
    last = std::max(last, seen.last);
  }

  static std::string describe(const Seen& seen) {
    const std::string_view what = seen.application.empty() ? "unnamed traffic" : std::string_view{seen.application};
    return fmt::format("{}{} {}", seen.managed ? "managed " : "", what,
                       seen.host.empty() ? seen.server.text() : seen.host);
  }
};

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// Ports that serve everything: a port entry for them would cut people off the web, mail or names.
bool is_shared_port(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 4> kShared{3128, 3389, 8080, 8443};
  return port < 1024 || std::ranges::find(kShared, port) != kShared.end();
}

class Weighing {
 public:
  Weighing(std::span<const Seen> traffic, const BlockWish& wish) : wish_(wish) {
    for (const Seen& seen : traffic) weigh(seen);
  }

  Proposals proposals(Instant now) {
    for (const auto& [name, found] : names_) consider_name(name, found, now);
    for (const auto& [address, found] : addresses_) consider_address(address, found, now);
    for (const auto& [service, found] : ports_) consider_port(service, found, now);
    std::ranges::sort(out_.entries, {}, [](const BlockEntry& entry) {
      return std::tuple{entry.application, entry.target.kind, entry.target.text()};
    });
    if (out_.entries.size() > kProposalsMax) out_.entries.resize(kProposalsMax);
    return std::move(out_);
  }

 private:
  struct Service {
    Transport transport;
    std::uint16_t port;
    auto operator<=>(const Service&) const = default;
  };
  struct AtAddress {
    Case whole;
    std::map<Service, Case> services;
    std::set<std::string> names;  // of unwanted flows, that can be blocked by name
    bool nameless = false;        // some unwanted flow went there without one
  };
  struct AnyServer {
    Case whole;
    std::set<Address> servers;
  };

  void weigh(const Seen& seen) {
    const bool unwanted = wish_.unwanted(seen);
    const std::string host = lower(seen.host);
    const bool named = is_host_name(host);
    if (named) names_[host].add(seen, unwanted);
    // Of a peer outside that calls in, the caller is the stranger.
    const bool calls_in = any_holds(wish_.inside, seen.server.address) && !any_holds(wish_.inside, seen.client);
    AtAddress& at = addresses_[calls_in ? seen.client : seen.server.address];
    at.whole.add(seen, unwanted);
    if (seen.flows > 0) {
      if (!calls_in) at.services[{seen.transport, seen.server.port}].add(seen, unwanted);
      AnyServer& any = ports_[{seen.transport, seen.server.port}];
      any.whole.add(seen, unwanted);
      if (unwanted) any.servers.insert(seen.server.address);
    }
    if (!unwanted || seen.flows == 0) return;
    if (named)
      at.names.insert(host);
    else
      at.nameless = true;
  }

  void withhold(BlockTarget target, const Case& found, std::string why) {
    if (out_.withheld.size() < kProposalsMax)
      out_.withheld.push_back({std::move(target), found.applications.begin()->first, std::move(why)});
  }

  void offer(BlockTarget target, const Case& found, std::string_view how, Instant now) {
    BlockEntry entry;
    entry.target = std::move(target);
    entry.application = found.applications.begin()->first;
    entry.category = found.category;
    entry.reason = fmt::format("{} {}: {} flow{} of {} client{}, {} bytes; {}", entry.application, how, found.flows,
                               found.flows == 1 ? "" : "s", found.clients.size(), found.clients.size() == 1 ? "" : "s",
                               found.bytes, found.evidence);
    for (const std::string& client : found.clients) {
      if (entry.clients.size() == BlockEntry::kClientsShown) break;
      entry.clients.push_back(client);
    }
    entry.client_count = found.clients.size();
    entry.flows = found.flows;
    entry.first_seen = found.first;
    entry.last_seen = found.last;
    entry.proposed_at = now;
    out_.entries.push_back(std::move(entry));
  }

  void consider_name(const std::string& name, const Case& found, Instant now) {
    if (found.flows < wish_.flows_min || found.applications.empty()) return;
    BlockTarget target{.kind = BlockTarget::Kind::name, .endpoint = {}, .transport = Transport::tcp, .name = name};
    if (std::ranges::any_of(wish_.never_names, [&](const std::string& never) {
          return is_at_or_below(name, never) || is_at_or_below(never, name);
        }))
      return withhold(std::move(target), found, "the configuration says never");
    if (!found.innocent.empty())
      return withhold(std::move(target), found, fmt::format("this name also serves {}", found.innocent));
    // A block takes all below the name along: what is wanted must not be among it.
    for (auto below = names_.begin(); below != names_.end(); ++below)
      if (below->first != name && is_at_or_below(below->first, name) && !below->second.innocent.empty())
        return withhold(std::move(target), found, fmt::format("below it is {}", below->second.innocent));
    if (found.applications.size() > 1)
      return withhold(std::move(target), found,
                      fmt::format("shared by {} and {}", found.applications.begin()->first,
                                  std::next(found.applications.begin())->first));
    offer(std::move(target), found, "by name", now);
  }

  void consider_address(const Address& address, const AtAddress& at, Instant now) {
    if (at.whole.flows < wish_.flows_min || at.whole.applications.empty()) return;
    BlockTarget target{
        .kind = BlockTarget::Kind::address, .endpoint = {address, 0}, .transport = Transport::tcp, .name = {}};
    if (any_holds(wish_.never_addresses, address))
      return withhold(std::move(target), at.whole, "the configuration says never");
    if (any_holds(wish_.inside, address)) return consider_services(address, at, true, now);
    if (!at.whole.innocent.empty()) {
      withhold(target, at.whole, fmt::format("the address also serves {}", at.whole.innocent));
      return consider_services(address, at, false, now);
    }
    // Where every flow had a name, the name is the better handle: addresses move, and others move in.
    if (!at.nameless) return;
    offer(std::move(target), at.whole, "by address, which served nothing else", now);
  }

  // Single ports of an address that serves other things too, or that is our own.
  void consider_services(const Address& address, const AtAddress& at, bool inside, Instant now) {
    for (const auto& [service, found] : at.services) {
      if (found.applications.empty() || found.flows < wish_.flows_min) continue;
      BlockTarget target{.kind = BlockTarget::Kind::endpoint,
                         .endpoint = {address, service.port},
                         .transport = service.transport,
                         .name = {}};
      if (!found.innocent.empty()) {
        withhold(std::move(target), found, fmt::format("the port also serves {}", found.innocent));
      } else if (!inside && is_shared_port(service.port)) {
        // Tomorrow's flows to a web port of a shared address are anyone's.
        withhold(std::move(target), found, fmt::format("port {} of a shared address serves anything", service.port));
      } else {
        offer(std::move(target), found, inside ? "by port of an inside address" : "by port, which served nothing else",
              now);
      }
    }
  }

  // A port by itself names nothing, but one that only ever served the unwanted, at several servers, may be closed.
  void consider_port(const Service& service, const AnyServer& found, Instant now) {
    if (found.whole.flows < wish_.flows_min || found.servers.size() < kPortServersMin || is_shared_port(service.port) ||
        !found.whole.innocent.empty() || found.whole.applications.size() != 1)
      return;
    offer({.kind = BlockTarget::Kind::port, .endpoint = {{}, service.port}, .transport = service.transport, .name = {}},
          found.whole, fmt::format("by port, at {} servers", found.servers.size()), now);
  }

  const BlockWish& wish_;
  std::map<std::string, Case> names_;
  std::map<Address, AtAddress> addresses_;
  std::map<Service, AnyServer> ports_;
  Proposals out_;
};

}  // namespace

bool BlockWish::unwanted(const Seen& seen) const {
  return !seen.managed && !seen.application.empty() && categories.contains(seen.category) &&
         !allowed_applications.contains(seen.application);
}

Proposals propose(std::span<const Seen> traffic, const BlockWish& wish, Instant now) {
  return Weighing{traffic, wish}.proposals(now);
}

bool covers(const BlockTarget& target, const Seen& seen) {
  switch (target.kind) {
    case BlockTarget::Kind::address:
      return seen.server.address == target.endpoint.address || seen.client == target.endpoint.address;
    case BlockTarget::Kind::endpoint:
      return seen.transport == target.transport && seen.server == target.endpoint;
    case BlockTarget::Kind::port:
      return seen.transport == target.transport && seen.server.port == target.endpoint.port;
    case BlockTarget::Kind::name:
      break;
  }
  return !seen.host.empty() && is_at_or_below(lower(seen.host), target.name);
}

Hit simulate(const BlockTarget& target, std::span<const Seen> traffic, const BlockWish& wish) {
  Hit hit;
  for (const Seen& seen : traffic) {
    if (!covers(target, seen)) continue;
    hit.flows += seen.flows;
    hit.bytes += seen.bytes;
    if (hit.clients.size() < Hit::kHitNamesMax) hit.clients.insert(seen.client.text());
    if (wish.unwanted(seen)) {
      hit.applications.insert(seen.application);
      continue;
    }
    hit.innocent_flows += seen.flows;
    if (hit.innocent_names.size() < Hit::kHitNamesMax) hit.innocent_names.insert(Case::describe(seen));
  }
  return hit;
}

}  // namespace chancery::sensor
