#pragma once
// Adds up flows, when they are named and when they end, to the rows that block lists are made from; and keeps which
// names DNS answers put at which address, so that an address with innocent names is known as such before anyone went
// there.
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sensor/classify/hosts.h"
#include "sensor/enforce/seen.h"
#include "sensor/flow/flow_watcher.h"

namespace chancery::sensor {

class TrafficCollector final : public FlowWatcher {
 public:
  static constexpr std::size_t kRowsMax = 262'144;  // between two calls of `take`; what comes later is counted as lost

  explicit TrafficCollector(const Hosts& hosts) : hosts_(hosts) {}  // borrowed

  void packet(const Flow& flow, const Packet& packet, Side from) override;
  void named(const Flow& flow, const Named& named, bool managed) override;
  void ended(const Flow& flow, std::string_view application, Category category, bool managed) override;

  std::vector<Seen> take();  // the rows since the last call; ends them
  std::uint64_t lost() const { return lost_; }

 private:
  using Key = std::tuple<Address, Endpoint, Transport, std::string, std::string, bool>;
  void add(Seen row);

  const Hosts& hosts_;
  std::map<Key, Seen> rows_;
  std::uint64_t lost_ = 0;
};

}  // namespace chancery::sensor
