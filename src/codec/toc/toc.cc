#include "codec/toc/toc.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "codec/toc/words.h"
#include "codec/wire/charset.h"
#include "codec/wire/markup.h"
#include "codec/wire/octets.h"
#include "codec/wire/watched.h"
#include "core/encoding.h"

namespace chancery::toc {
namespace {

constexpr Bytes kOpening{"FLAPON\r\n\r\n"};
constexpr std::size_t kHeader = 6;
constexpr char kData = 2;

constexpr auto kServerWords =
    std::to_array<Bytes>({"SIGN_ON:TOC", "CONFIG:", "NICK:", "IM_IN:", "IM_IN2:", "UPDATE_BUDDY:", "UPDATE_BUDDY2:",
                          "CHAT_JOIN:", "CHAT_IN:", "CHAT_UPDATE_BUDDY:", "CHAT_INVITE:", "RVOUS_PROPOSE:"});

Measured measure(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  if (octets.starts_with(kOpening)) return Measured::frame(kOpening.size());
  if (kOpening.starts_with(octets)) return Measured::more(kOpening.size());
  if (octets[0] != '*' || (octets.size() > 1 && (octets[1] < 1 || octets[1] > 5))) return Measured::wrong();
  if (octets.size() < kHeader) return Measured::more(kHeader);
  Octets header{octets.substr(4)};
  return Measured::frame(kHeader + header.u16());
}

Likeness begins(Side from, Bytes octets) {
  if (kOpening.starts_with(octets.substr(0, kOpening.size())))
    return octets.size() < kOpening.size() ? Likeness::need_more : Likeness::yes;
  if (octets[0] != '*' || (octets.size() > 1 && octets[1] != kData)) return Likeness::no;
  const Bytes text = octets.substr(std::min(octets.size(), kHeader));
  const auto starts = [&](Bytes word) { return word.starts_with(text.substr(0, word.size())); };
  const auto is_whole = [&](Bytes word) { return text.starts_with(word); };
  static constexpr auto kClientWords = std::to_array<Bytes>({"toc_", "toc2_"});
  const bool client = from == Side::client;
  if (client ? std::ranges::any_of(kClientWords, is_whole) : std::ranges::any_of(kServerWords, is_whole))
    return Likeness::yes;
  return (client ? std::ranges::any_of(kClientWords, starts) : std::ranges::any_of(kServerWords, starts))
             ? Likeness::need_more
             : Likeness::no;
}

constexpr Framing kFraming{measure, begins};

class TocCodec final : public WatchedCodec {
 public:
  TocCodec(const Limits& limits, const Start& start) : WatchedCodec(kFraming, limits, start) {}

 private:
  struct Room {
    std::string name;
    std::set<std::string> present;
  };

  void read(Unit& unit, Instant /*now*/) override {
    const Bytes wire = unit.wire;
    if (wire.size() <= kHeader || wire[0] != '*' || wire[1] != kData) return;
    const Bytes payload = wire.substr(kHeader);
    const Bytes text = payload.substr(0, payload.find('\0'));
    if (unit.from == Side::client)
      read_client(unit, split_words(text));
    else
      read_server(unit, text);
  }

  void read_client(Unit& unit, const std::vector<Word>& words) {
    if (words.empty()) return;
    std::string command = words[0].text;
    if (command.starts_with("toc2_")) command.erase(3, 1);
    const std::size_t count = words.size();
    if ((command == "toc_signon" || command == "toc_login") && count > 4) {
      name_ = words[3].text;
      add_secret(unit, words[4].source, "password");
    } else if (command == "toc_send_im" && count > 2) {
      Event& event = add(unit, name_, words[1].text);
      if (count > 3 && words[3].text == "auto") event.detail = "auto-response";
      add_text(unit, event, words[2]);
    } else if (command == "toc_chat_send" && count > 2) {
      add_text(unit, add_in_room(unit, Kind::message, words[1].text, name_), words[2]);
    } else if (command == "toc_chat_whisper" && count > 3) {
      add_text(unit, add(unit, name_, words[2].text), words[3]);
    } else if (command == "toc_chat_invite" && count > 3) {
      Event& event = add(unit, name_, {});
      for (std::size_t i = 3; i < count; ++i) event.to.push_back(words[i].text);
      invitation(unit, event, words[1].text, words[2].source);
    } else if (command == "toc_change_passwd" && count > 2) {
      add_secret(unit, words[1].source, "password");
      add_secret(unit, words[2].source, "password");
    }
  }

  void read_server(Unit& unit, Bytes text) {
    const Bytes command = text.substr(0, text.find(':'));
    const Bytes rest = text.substr(std::min(text.size(), command.size() + 1));
    if (command == "NICK") return sign_in(unit, rest);
    if (command == "ERROR") return error(unit, rest);
    if (command == "IM_IN") return im_in(unit, split_fields(rest, 3));
    if (command == "IM_IN2") return im_in(unit, split_fields(rest, 4));
    if (command == "CHAT_JOIN") return chat_join(unit, split_fields(rest, 2));
    if (command == "CHAT_IN") return chat_in(unit, split_fields(rest, 4));
    if (command == "CHAT_UPDATE_BUDDY") return chat_update(unit, split_fields(rest, kMembersInFrame));
    if (command == "CHAT_LEFT") return chat_left(unit, rest);
    if (command == "CHAT_INVITE") return chat_invite(unit, split_fields(rest, 4));
    if (command == "RVOUS_PROPOSE") return propose(unit, split_fields(rest, kMembersInFrame));
  }

  Event& add(Unit& unit, const std::string& from, const std::string& to) {
    Event& event = unit.events.emplace_back();
    event.from = from;
    if (!to.empty()) event.to = {to};
    return event;
  }

  Event& add_in_room(Unit& unit, Kind kind, const std::string& id, const std::string& from) {
    Event& event = add(unit, from, {});
    event.kind = kind;
    event.scope = Scope::room;
    const auto room = rooms_.find(id);
    event.room = room == rooms_.end() ? id : room->second.name;
    if (room != rooms_.end()) event.present.assign(room->second.present.begin(), room->second.present.end());
    return event;
  }

  static void add_text(const Unit& unit, Event& event, const Word& word) {
    std::string text = from_unstated(word.text);
    const bool html = has_html(text);
    event.texts.push_back(text_part(unit, word.source, html ? html_to_text(text) : text));
    if (html) event.texts.push_back(text_part(unit, word.source, std::move(text), TextPart::Role::xhtml));
  }
  static void add_text(const Unit& unit, Event& event, Bytes octets) {
    add_text(unit, event, Word{octets, std::string{octets}});
  }

  void invitation(const Unit& unit, Event& event, const std::string& room, Bytes words) {
    event.detail = "invitation";
    const auto known = rooms_.find(room);
    event.thread = known == rooms_.end() ? room : known->second.name;
    event.texts.push_back(text_part(unit, words, from_unstated(words), TextPart::Role::reason));
  }

  void add_sign_in(Unit& unit, bool accepted, std::string detail) {
    Event& event = add(unit, name_, {});
    event.kind = Kind::sign_in;
    event.scope = Scope::network;
    event.accepted = accepted;
    event.detail = std::move(detail);
  }

  void sign_in(Unit& unit, Bytes name) {
    name_ = from_unstated(name);
    if (!std::exchange(signed_in_, true)) add_sign_in(unit, true, "roasted password");
  }

  // 980 to 989: the sign-on failed.
  void error(Unit& unit, Bytes rest) {
    const Bytes number = rest.substr(0, rest.find(':'));
    if (!signed_in_ && number.starts_with("98")) add_sign_in(unit, false, fmt::format("error {}", number));
  }

  void im_in(Unit& unit, const std::vector<Bytes>& fields) {
    if (fields.size() < 3) return;
    Event& event = add(unit, from_unstated(fields[0]), name_);
    if (fields[1] == "T") event.detail = "auto-response";
    add_text(unit, event, fields.back());
  }

  void chat_join(Unit& unit, const std::vector<Bytes>& fields) {
    if (fields.size() < 2 || rooms_.size() >= limits().rooms_max) return;
    const std::string id{fields[0]};
    rooms_[id].name = from_unstated(fields[1]);
    add_in_room(unit, Kind::join, id, name_);
  }

  void chat_in(Unit& unit, const std::vector<Bytes>& fields) {
    if (fields.size() < 4) return;
    const std::string from = from_unstated(fields[1]);
    const bool whisper = fields[2] == "T";
    Event& event = whisper ? add(unit, from, name_) : add_in_room(unit, Kind::message, std::string{fields[0]}, from);
    if (!name_.empty() && from == name_) event.copy = Copy::echo;
    add_text(unit, event, fields[3]);
  }

  // The first one lists who is there; later ones who came and went.
  void chat_update(Unit& unit, const std::vector<Bytes>& fields) {
    if (fields.size() < 3) return;
    const std::string id{fields[0]};
    const auto room = rooms_.find(id);
    const bool came = fields[1] == "T";
    const bool already_there = came && room != rooms_.end() && room->second.present.empty();
    for (std::size_t i = 2; i < fields.size(); ++i) {
      const std::string who = from_unstated(fields[i]);
      const bool has_space = unit.events.size() < limits().targets_max;
      if (!came && has_space) add_in_room(unit, Kind::leave, id, who);
      if (room != rooms_.end() && !came) room->second.present.erase(who);
      if (room != rooms_.end() && came && room->second.present.size() < limits().members_max)
        room->second.present.insert(who);
      if (came && !already_there && has_space) add_in_room(unit, Kind::join, id, who);
    }
  }

  void chat_left(Unit& unit, Bytes id) {
    add_in_room(unit, Kind::leave, std::string{id}, name_);
    rooms_.erase(std::string{id});
  }

  void chat_invite(Unit& unit, const std::vector<Bytes>& fields) {
    if (fields.size() < 4) return;
    Event& event = add(unit, from_unstated(fields[2]), name_);
    invitation(unit, event, from_unstated(fields[0]), fields[3]);
  }

  // user:capability:cookie:sequence:addresses…:port:tag:value…; tag 10001 holds the file, in base64.
  void propose(Unit& unit, const std::vector<Bytes>& fields) {
    constexpr Bytes kSendFile{"09461343-4C7F-11D1-8222-444553540000"};
    if (fields.size() < 2 || fields[1] != kSendFile) return;
    Event& event = add(unit, from_unstated(fields[0]), name_);
    event.kind = Kind::file_offer;
    File& file = event.files.emplace_back();
    file.method = "oft";
    const auto tag = std::ranges::find(fields, Bytes{"10001"});
    if (tag == fields.end() || std::next(tag) == fields.end()) return;
    const auto octets = from_base64(*std::next(tag));
    if (!octets) return;
    Octets in{*octets};
    in.u32();  // several or one, how many
    const std::uint32_t size = in.u32();
    if (in.ok()) file.size = size;
    file.name = from_unstated(in.until_zero());
  }

  std::size_t state_memory() const override {
    constexpr std::size_t kNode = 80;  // a red-black node and a short string
    std::size_t nodes = 0;
    for (const auto& [id, room] : rooms_) nodes += 3 + room.present.size();
    return nodes * kNode;
  }

  static constexpr std::size_t kMembersInFrame = 4096;
  std::string name_;
  bool signed_in_ = false;
  std::map<std::string, Room> rooms_;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<TocCodec>(limits, start);
}

Likeness probe(Side from, Bytes octets) { return probe_frames(kFraming, from, octets); }

constexpr std::array<std::uint16_t, 2> kPorts{9898, 5190};

}  // namespace

const Protocol kProtocol{"toc", kPorts, probe, make, nullptr, false};

}  // namespace chancery::toc
