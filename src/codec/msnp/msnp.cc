#include "codec/msnp/msnp.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "codec/msnp/state.h"
#include "codec/wire/watched.h"

namespace chancery::msnp {
namespace {

class MsnpCodec final : public WatchedCodec {
 public:
  MsnpCodec(const Limits& limits, const Start& start) : WatchedCodec(kFraming, limits, start), state_(limits) {}

 private:
  void read(Unit& unit, Instant /*now*/) override {
    const Command command = parse_command(unit.wire);
    read_membership(state_, unit, command);
    read_sign_in(state_, unit, command);
    if (command.name == "MSG" || command.name == "UUM" || command.name == "UBM") read_message(state_, unit, command);
  }

  void forget(Side from) override { state_.unfinished[static_cast<std::size_t>(from)].clear(); }

  std::size_t state_memory() const override {
    constexpr std::size_t kNode = 80;  // a red-black node and a short string
    return (state_.members.size() + state_.called.size()) * kNode + state_.unfinished[0].memory() +
           state_.unfinished[1].memory();
  }

  State state_;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<MsnpCodec>(limits, start);
}

Likeness probe(Side from, Bytes octets) { return probe_frames(kFraming, from, octets); }

constexpr std::array<std::uint16_t, 2> kPorts{1863, 1864};

}  // namespace

Pieces* Unfinished::find(const std::string& key) {
  const auto at = pieces_.find(key);
  return at == pieces_.end() ? nullptr : &at->second;
}

Pieces& Unfinished::start(const std::string& key) {
  if (pieces_.size() >= kPiecesMax && !pieces_.contains(key)) pieces_.erase(pieces_.begin());
  Pieces& pieces = pieces_[key];
  pieces = {};
  return pieces;
}

void Unfinished::drop(const std::string& key) { pieces_.erase(key); }

std::size_t Unfinished::memory() const {
  std::size_t total = 0;
  for (const auto& [key, pieces] : pieces_) total += key.capacity() + pieces.joined.capacity() + sizeof pieces;
  return total;
}

void State::join(std::string who) {
  called.erase(who);
  if (who != address && members.size() < limits.members_max) members.insert(std::move(who));
}

std::vector<std::string> State::receivers(const std::string& from) const {
  // Words said before anybody has answered reach those who were called.
  const std::set<std::string>& others = members.empty() ? called : members;
  std::vector<std::string> to;
  for (const std::string& other : others)
    if (other != from) to.push_back(other);
  if (!address.empty() && from != address) to.insert(std::ranges::lower_bound(to, address), address);
  return to;
}

Event& add_event(const State& state, Unit& unit, Kind kind, std::string from) {
  Event& event = unit.events.emplace_back();
  event.kind = kind;
  event.to = state.receivers(from);
  event.from = std::move(from);
  return event;
}

const Protocol kProtocol{"msnp", kPorts, probe, make, nullptr, false};

}  // namespace chancery::msnp
