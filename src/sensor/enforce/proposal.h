#pragma once
// From what was seen to what could be blocked, and what a block would have hit. Pure functions.
//
// The rule that keeps innocent services safe: an entry may only cover flows that are unwanted. An address at which
// anything else was seen (another name, another application, a flow nobody could name, a managed one) is never proposed
// by address: only by a name of its own, or by its port when that serves nothing else. An address inside is never
// blocked whole. Names of several applications (a sign-in service) are not proposed at all. Names that a list should
// not know (shared hosting, content networks) can be kept out by `BlockWish::never`.
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sensor/enforce/block_entry.h"
#include "sensor/enforce/network.h"
#include "sensor/enforce/seen.h"

namespace chancery::sensor {

// What the administrator wants gone.
struct BlockWish {
  std::set<Category> categories{Category::im, Category::p2p, Category::web_im};
  std::set<std::string> allowed_applications;  // spelled as in reports
  std::vector<Network> inside = private_networks();
  std::vector<Network> never_addresses;  // never in an entry
  std::vector<std::string> never_names;  // nor these names, nor any above or below them
  std::uint64_t flows_min = 1;           // seen at least so often

  bool unwanted(const Seen& seen) const;
};

// What was looked at and left out, and why; for the report.
struct Withheld {
  BlockTarget target;
  std::string application;
  std::string why;
};

struct Proposals {
  std::vector<BlockEntry> entries;  // state proposed, id 0; by application, then target
  std::vector<Withheld> withheld;
};

inline constexpr std::size_t kProposalsMax = 10'000;  // entries of one call; P2P peers are many

Proposals propose(std::span<const Seen> traffic, const BlockWish& wish, Instant now);

// What one entry would have done to the traffic.
struct Hit {
  std::uint64_t flows = 0, bytes = 0;
  std::set<std::string> clients;         // addresses; at most kHitNamesMax
  std::set<std::string> applications;    // that are unwanted
  std::uint64_t innocent_flows = 0;      // of traffic that is wanted, or that nobody could name
  std::set<std::string> innocent_names;  // "HTTP update.example.com", "unnamed 192.0.2.1:443"; at most kHitNamesMax
  static constexpr std::size_t kHitNamesMax = 50;
};
bool covers(const BlockTarget& target, const Seen& seen);
Hit simulate(const BlockTarget& target, std::span<const Seen> traffic, const BlockWish& wish);

}  // namespace chancery::sensor
