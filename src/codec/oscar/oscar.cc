#include "codec/oscar/oscar.h"

#include <array>
#include <functional>
#include <memory>

#include "codec/oscar/flap.h"
#include "codec/oscar/state.h"
#include "codec/wire/charset.h"
#include "codec/wire/watched.h"

namespace chancery::oscar {
namespace {

class OscarCodec final : public WatchedCodec {
 public:
  OscarCodec(const Limits& limits, const Start& start)
      : WatchedCodec(kFraming, limits, start), state_(limits, dynamic_cast<Cookies*>(start.shared)) {}

 private:
  void read(Unit& unit, Instant /*now*/) override {
    if (unit.wire.size() < kFlapHeader) return;
    if (channel_of(unit.wire) == Channel::sign_on && unit.from == Side::client) read_sign_on(state_, unit);
    if (channel_of(unit.wire) == Channel::sign_off && unit.from == Side::server) read_sign_off(state_, unit);
    if (channel_of(unit.wire) != Channel::data) return;
    const auto snac = snac_of(payload_of(unit.wire));
    if (!snac) return;
    switch (snac->family) {
      case 0x0001:
        return read_services(state_, unit, *snac);
      case 0x0004:
        return read_icbm(state_, unit, *snac);
      case 0x0007:
        return read_account(unit, *snac);
      case 0x000e:
        return read_chat(state_, unit, *snac);
      case 0x0015:
        return read_icq(state_, unit, *snac);
      case 0x0017:
        return read_log_in(state_, unit, *snac);
      default:
        return;
    }
  }

  std::size_t state_memory() const override {
    constexpr std::size_t kNode = 80;  // a red-black node and a short string
    return state_.occupants.size() * kNode + state_.name.capacity() + state_.room.capacity();
  }

  State state_;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<OscarCodec>(limits, start);
}

std::unique_ptr<Shared> make_shared(const Limits& /*limits*/) { return std::make_unique<Cookies>(); }

constexpr std::array<std::uint16_t, 5> kPorts{5190, 5191, 5192, 5193, 443};

}  // namespace

void Cookies::remember(Bytes cookie, std::string_view name) {
  if (cookie.empty() || name.empty()) return;
  Entry entry{std::hash<std::string_view>{}(cookie), std::string{name}};
  if (entries_.size() < kEntriesMax) {
    entries_.push_back(std::move(entry));
    return;
  }
  entries_[next_] = std::move(entry);
  next_ = (next_ + 1) % kEntriesMax;
}

std::string Cookies::name_of(Bytes cookie) const {
  const std::uint64_t digest = std::hash<std::string_view>{}(cookie);
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (entry->digest == digest) return entry->name;
  return {};
}

bool same_name(Bytes a, Bytes b) {
  const auto next = [](Bytes& name) -> char {
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    if (name.empty()) return '\0';
    const char c = name.front();
    name.remove_prefix(1);
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  for (;;) {
    const char x = next(a);
    if (x != next(b)) return false;
    if (x == '\0') return true;
  }
}

std::string name_text(Bytes octets) { return from_unstated(octets); }

const Protocol kProtocol{"oscar", kPorts, probe, make, make_shared, false};

}  // namespace chancery::oscar
