#include "codec/ymsg/ymsg.h"

#include <array>
#include <memory>
#include <utility>

#include "codec/wire/octets.h"
#include "codec/wire/watched.h"
#include "codec/ymsg/packet.h"
#include "codec/ymsg/state.h"

namespace chancery::ymsg {
namespace {

class YmsgCodec final : public WatchedCodec {
 public:
  YmsgCodec(const Limits& limits, const Start& start) : WatchedCodec(kFraming, limits, start), state_(limits) {}

 private:
  void read(Unit& unit, Instant /*now*/) override {
    if (unit.wire.size() < kHeaderSize || !unit.wire.starts_with("YMSG")) return;
    const Packet packet = parse_packet(unit.wire);
    read_sign_in(state_, unit, packet);
    switch (packet.service) {
      case Service::message:
      case Service::system_message:
      case Service::sms:
        return read_talk(state_, unit, packet);
      case Service::file_transfer:
      case Service::peer_file_transfer:
      case Service::file_transfer_15:
        return read_files(state_, unit, packet);
      default:
        return read_rooms(state_, unit, packet);
    }
  }

  std::size_t state_memory() const override {
    constexpr std::size_t kNode = 80;  // a red-black node and a short string
    std::size_t nodes = 0;
    for (const auto& [room, names] : state_.rooms) nodes += 2 + names.size();
    return nodes * kNode + state_.name.capacity();
  }

  State state_;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<YmsgCodec>(limits, start);
}

// A ping or keep-alive alone says too little: clients left running for years send them to whoever has the address now.
bool is_only_ping(Bytes octets) {
  constexpr std::uint16_t kPing = 0x12, kKeepAlive = 0x8a;
  if (octets.size() < kHeaderSize || !octets.starts_with("YMSG")) return false;
  Octets header{octets.substr(8)};
  const std::size_t whole = kHeaderSize + header.u16();
  const std::uint16_t service = header.u16();
  return (service == kPing || service == kKeepAlive) && octets.size() <= whole;
}

Likeness probe(Side from, Bytes octets) {
  const Likeness likeness = probe_frames(kFraming, from, octets);
  return likeness == Likeness::yes && is_only_ping(octets) ? Likeness::need_more : likeness;
}

constexpr std::array<std::uint16_t, 3> kPorts{5050, 5101, 5000};

}  // namespace

Names* State::others(const std::string& room) {
  const auto at = rooms.find(room);
  if (at != rooms.end()) return &at->second;
  return rooms.size() < limits.rooms_max ? &rooms[room] : nullptr;
}

void State::enter(const std::string& room, const std::string& who) {
  Names* names = others(room);
  if (names && !who.empty() && who != name && names->size() < limits.members_max) names->insert(who);
}

Event& add_between(const State& state, Unit& unit, Kind kind, std::string from, std::string to) {
  const bool of_client = unit.from == Side::client;
  Event& event = unit.events.emplace_back();
  event.kind = kind;
  event.from = from.empty() && of_client ? state.name : std::move(from);
  if (to.empty() && !of_client) to = state.name;
  if (!to.empty()) event.to.push_back(std::move(to));
  return event;
}

const Protocol kProtocol{"ymsg", kPorts, probe, make, nullptr, false};

}  // namespace chancery::ymsg
