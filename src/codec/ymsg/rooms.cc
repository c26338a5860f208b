// Conferences (invited people, 0x18-0x1d) and chat rooms (public, 0x98-0xa8).
#include <algorithm>
#include <string>
#include <utility>

#include "codec/wire/watched.h"
#include "codec/ymsg/state.h"
#include "codec/ymsg/text.h"

namespace chancery::ymsg {
namespace {

constexpr std::uint32_t kOwn = 1;
constexpr std::uint32_t kFrom = 3;
constexpr std::uint32_t kText = 14;
constexpr std::uint32_t kInviter = 50;
constexpr std::uint32_t kInvited = 51;
constexpr std::uint32_t kInvitedAlso = 52;
constexpr std::uint32_t kMember = 53;
constexpr std::uint32_t kWhoLeft = 56;
constexpr std::uint32_t kConference = 57;
constexpr std::uint32_t kInvitation = 58;
constexpr std::uint32_t kRoom = 104;
constexpr std::uint32_t kTopic = 105;
constexpr std::uint32_t kOccupant = 109;
constexpr std::uint32_t kRoomText = 117;
constexpr std::uint32_t kRoomTextKind = 124;  // 1 said, 2 an action, 3 a thought
constexpr std::uint32_t kRoomInvited = 118;
constexpr std::uint32_t kRoomInviter = 119;

class Reader {
 public:
  Reader(State& state, Unit& unit, const Packet& packet)
      : state_(state), unit_(unit), packet_(packet), of_client_(unit.from == Side::client) {}

  void read() {
    switch (packet_.service) {
      case Service::conference_invite:
      case Service::conference_add_invite:
        return invitation();
      case Service::conference_logon:
        return conference_entered();
      case Service::conference_logoff:
        return conference_left();
      case Service::conference_message:
        return conference_message();
      case Service::chat_join:
        return room_entered();
      case Service::chat_leave:
      case Service::chat_exit:
      case Service::chat_log_out:
        return room_left();
      case Service::chat_message:
        return room_message();
      case Service::chat_add_invite:
        return room_invitation();
      default:
        return;
    }
  }

 private:
  Event& add(Kind kind, const std::string& room, std::string from) {
    Event& event = unit_.events.emplace_back();
    event.kind = kind;
    event.scope = Scope::room;
    event.room = room;
    if (const auto at = state_.rooms.find(room); at != state_.rooms.end())
      event.present.assign(at->second.begin(), at->second.end());
    if (!state_.name.empty()) event.present.insert(std::ranges::lower_bound(event.present, state_.name), state_.name);
    event.from = std::move(from);
    return event;
  }

  // Each event of a room names all who are there: one packet must not make very many.
  bool has_space() const { return unit_.events.size() < state_.limits.targets_max; }

  std::string conference() const { return decoded(packet_.value(kConference)); }

  void enter_all(const std::string& room, std::uint32_t key) {
    for (const Bytes who : packet_.values(key)) state_.enter(room, decoded(who));
  }

  // Words that ask somebody in. Who is named is not there yet.
  void invitation() {
    const std::string room = conference();
    const Bytes inviter = packet_.value(of_client_ ? kOwn : kInviter);
    Event& event = add_between(state_, unit_, Kind::message, decoded(inviter), {});
    event.to.clear();
    for (const std::uint32_t key : {kInvited, kInvitedAlso}) {
      const bool lists_members = key == kInvitedAlso && packet_.service == Service::conference_add_invite;
      for (const Bytes who : packet_.values(key))
        if (of_client_ && !lists_members) event.to.push_back(decoded(who));
    }
    if (!of_client_ && !state_.name.empty()) event.to = {state_.name};
    event.thread = room;
    event.detail = "invitation";
    if (const Bytes words = packet_.value(kInvitation); !words.empty())
      event.texts.push_back(text_part(unit_, words, decoded(words), TextPart::Role::reason));
    if (!of_client_) state_.enter(room, decoded(inviter));
    enter_all(room, kMember);
  }

  void conference_entered() {
    const std::string room = conference();
    if (of_client_) {
      enter_all(room, kFrom);
      add(Kind::join, room, state_.name);
      return;
    }
    for (const Bytes who : packet_.values(kMember)) {
      state_.enter(room, decoded(who));
      if (has_space()) add(Kind::join, room, decoded(who));
    }
  }

  void conference_left() {
    const std::string room = conference();
    if (of_client_) {
      add(Kind::leave, room, state_.name);
      state_.rooms.erase(room);
      return;
    }
    const std::string who = decoded(packet_.value(kWhoLeft));
    if (who.empty()) return;
    add(Kind::leave, room, who);
    if (Names* others = state_.others(room)) others->erase(who);
  }

  // The client names everybody it is for; the server only who said it.
  void conference_message() {
    if (!packet_.has(kText)) return;
    const std::string room = conference();
    if (of_client_)
      enter_all(room, packet_.has(kMember) ? kMember : kFrom);
    else
      state_.enter(room, decoded(packet_.value(kFrom)));
    Event& event = add(Kind::message, room, of_client_ ? state_.name : decoded(packet_.value(kFrom)));
    // A conference is those invited: a message has receivers, not a place.
    event.scope = Scope::direct;
    event.thread = std::exchange(event.room, {});
    for (std::string& who : std::exchange(event.present, {}))
      if (who != event.from) event.to.push_back(std::move(who));
    add_text(event, unit_, packet_.value(kText));
  }

  // The answer to one's own joining lists who is there; later ones name who came.
  void room_entered() {
    if (of_client_) return;
    const std::string room = decoded(packet_.value(kRoom));
    if (room.empty()) return;
    const bool own = !state_.rooms.contains(room);
    enter_all(room, kOccupant);
    if (own) {
      add(Kind::join, room, state_.name);
      if (const Bytes topic = packet_.value(kTopic); !topic.empty()) {
        Event& event = add(Kind::topic, room, {});
        event.copy = Copy::delayed;
        event.texts.push_back(text_part(unit_, topic, decoded(topic), TextPart::Role::subject));
      }
      return;
    }
    for (const Bytes who : packet_.values(kOccupant))
      if (has_space()) add(Kind::join, room, decoded(who));
  }

  void room_left() {
    const std::string room = decoded(packet_.value(kRoom));
    if (of_client_) {
      if (room.empty() || !state_.rooms.contains(room)) return;
      add(Kind::leave, room, state_.name);
      state_.rooms.erase(room);
      return;
    }
    for (const Bytes who : packet_.values(kOccupant)) {
      if (has_space()) add(Kind::leave, room, decoded(who));
      if (Names* others = state_.others(room)) others->erase(decoded(who));
    }
  }

  void room_message() {
    if (!packet_.has(kRoomText)) return;
    const std::string room = decoded(packet_.value(kRoom));
    const std::string from = of_client_ ? state_.name : decoded(packet_.value(kOccupant));
    if (!of_client_) state_.enter(room, from);
    Event& event = add(Kind::message, room, from);
    event.action = packet_.value(kRoomTextKind) == "2";
    add_text(event, unit_, packet_.value(kRoomText));
  }

  void room_invitation() {
    const Bytes inviter = of_client_ ? packet_.value(kOwn) : packet_.value(kRoomInviter);
    const Bytes invited = packet_.value(kRoomInvited);
    Event& event = add_between(state_, unit_, Kind::message, decoded(inviter), decoded(invited));
    event.thread = decoded(packet_.value(kRoom));
    event.detail = "invitation";
    if (const Bytes words = packet_.value(kRoomText); !words.empty())
      event.texts.push_back(text_part(unit_, words, decoded(words), TextPart::Role::reason));
  }

  State& state_;
  Unit& unit_;
  const Packet& packet_;
  const bool of_client_;
};

}  // namespace

void read_rooms(State& state, Unit& unit, const Packet& packet) { Reader{state, unit, packet}.read(); }

}  // namespace chancery::ymsg
