// Messengers and their calls over UDP, as far as their datagrams tell.
#include <algorithm>
#include <array>

#include "sensor/classify/probe.h"
#include "sensor/meta/octets.h"
#include "sensor/meta/stun.h"

namespace chancery::sensor {
namespace {

using namespace std::string_view_literals;

template <class Test>
std::size_t count(const FlowStart& flow, Test test) {
  return static_cast<std::size_t>(std::ranges::count_if(flow.datagrams, test));
}

// STUN that only one application speaks: its realm, or attributes outside the registry (IANA, STUN Attributes) that
// its vendor documents ([MS-TURNBWM], [MS-ICE2]) or that its captures show (0x4000-0x4007, methods 0x0800-0x0802:
// WhatsApp's relays; 0x0101, 0x0103: Zoom's).
std::optional<Finding> judge_stun(const StunMessage& message) {
  struct Realm {
    Bytes part;
    Finding finding;
  };
  static constexpr std::array kRealms =
      std::to_array<Realm>({{"telegram", {"Telegram", Category::im, "payload: STUN realm of Telegram"}},
                            {"signal.org", {"Signal", Category::im, "payload: STUN realm of Signal"}},
                            {"whispersystems", {"Signal", Category::im, "payload: STUN realm of Signal"}},
                            {"facebook", {"FacebookMessenger", Category::im, "payload: STUN realm of Facebook"}},
                            {"viber", {"Viber", Category::im, "payload: STUN realm of Viber"}},
                            {"discord", {"Discord", Category::im, "payload: STUN realm of Discord"}},
                            {"wire.com", {"Wire", Category::im, "payload: STUN realm of Wire"}},
                            {"threema", {"Threema", Category::im, "payload: STUN realm of Threema"}},
                            {"line-apps", {"LINE", Category::im, "payload: STUN realm of LINE"}}});
  for (const Realm& realm : kRealms)
    if (message.realm.find(realm.part) != Bytes::npos) return realm.finding;
  constexpr std::array<std::uint16_t, 7> kMicrosoft{0x8054, 0x8055, 0x8070, 0x8095, 0x8006, 0x24df, 0x3802};
  for (const std::uint16_t attribute : kMicrosoft)
    if (message.has(attribute)) return Finding{"Skype_Teams", Category::im, "payload: STUN attribute of Microsoft's"};
  if (message.type >= 0x0800 && message.type <= 0x0802)
    return Finding{"WhatsApp", Category::im, "payload: STUN method of WhatsApp's relays"};
  for (std::uint16_t attribute = 0x4000; attribute <= 0x4007; ++attribute)
    if (message.has(attribute))
      return Finding{"WhatsApp", Category::im, "payload: STUN attribute of WhatsApp's relays"};
  if (message.has(0x0101) || message.has(0x0103))
    return Finding{"Zoom", Category::voip, "payload: STUN attribute of Zoom's"};
  if (message.has(0xff03) || message.realm.find("google.com") != Bytes::npos)
    return Finding{"GoogleCall", Category::voip, "payload: STUN of Google's relays"};
  return std::nullopt;
}

std::optional<Finding> stun(const FlowStart& flow) {
  for (const Datagram& datagram : flow.datagrams)
    if (const auto message = parse_stun(datagram.octets))
      if (auto finding = judge_stun(*message)) return finding;
  return std::nullopt;
}

// Telegram's reflectors (tgcalls, reflector_port.cpp; libtgvoip): a peer tag of 16 octets, then 12 of 0xff. It is a
// keep-alive (four more of 0xff), a question (0xfe or 0xfd, three of 0xff, eight octets of id), or the answer to it:
// constructor, time, the same id, the client's address as ::ffff:a.b.c.d, its port. Silence in a call's samples is
// 0xff too, so the sizes and the rest count.
std::optional<Finding> telegram(const FlowStart& flow) {
  const auto is_reflector = [](const Datagram& datagram) {
    const Bytes octets = datagram.octets;
    if (octets.size() < 32 || octets.substr(16, 12) != "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv)
      return false;
    if (octets.substr(0, 16).find_first_not_of(octets[0]) == Bytes::npos) return false;  // padding
    const std::uint32_t kind = be32(octets, 28);
    if (octets.size() == 32) return kind == 0xffffffff;
    if (octets.size() == 40) return kind == 0xfeffffff || kind == 0xfdffffff;
    return octets.size() == 64 && octets.substr(44, 12) == "\0\0\0\0\0\0\0\0\0\0\xff\xff"sv;
  };
  if (count(flow, is_reflector) == 0) return std::nullopt;
  return Finding{"Telegram", Category::im, "payload: Telegram reflector"};
}

// Discord's voice servers (docs.discord.com, Voice Connections, IP Discovery): type 1, length 70, SSRC, address of 64
// octets, port; the answer of type 2 has the same SSRC. And the client's way to measure which server is near:
// 0x1337cafe and a number, echoed (seen in captures).
std::optional<Finding> discord(const FlowStart& flow) {
  constexpr std::size_t kDiscoverySize = 74;
  const auto is_ping = [](const Datagram& datagram) {
    return datagram.octets.size() == 8 && datagram.octets.starts_with("\x13\x37\xca\xfe");
  };
  const auto is_question = [](const Datagram& datagram) {
    return datagram.octets.size() == kDiscoverySize && be32(datagram.octets, 0) == 0x00010046 &&
           datagram.octets.substr(8).find_first_not_of('\0') == Bytes::npos;
  };
  const auto is_answer = [](const Datagram& datagram) {
    return datagram.octets.size() == kDiscoverySize && be32(datagram.octets, 0) == 0x00020046 &&
           datagram.octets.substr(8, 64).find('.') != Bytes::npos;
  };
  if (count(flow, is_ping) > 0) return Finding{"Discord", Category::im, "payload: Discord region ping"};
  if (count(flow, is_question) > 0 || count(flow, is_answer) > 0)
    return Finding{"Discord", Category::im, "payload: Discord voice address discovery"};
  return std::nullopt;
}

// LINE's calls: two octets of type (0xd8.., 0xda.., 0xdb..), a number that each side counts up by itself, and in the
// opening datagrams 0x06 0x02 behind it; the server's has a field of zeros where the client has a key. Both directions
// are needed.
std::optional<Finding> line(const FlowStart& flow) {
  constexpr std::size_t kOpeningMin = 100, kKeyAt = 24, kKeySize = 28;
  const auto opens = [](const Datagram& datagram) {
    const std::uint8_t first = octet(datagram.octets, 0);
    return datagram.octets.size() >= kOpeningMin && first >= 0xd8 && first <= 0xdb &&
           be16(datagram.octets, 4) == 0x0602;
  };
  const auto answers = [&](const Datagram& datagram) {
    return datagram.from == Side::server && opens(datagram) &&
           datagram.octets.substr(kKeyAt, kKeySize).find_first_not_of('\0') == Bytes::npos;
  };
  const bool asked =
      count(flow, [&](const Datagram& datagram) { return datagram.from == Side::client && opens(datagram); }) > 0;
  if (!asked || count(flow, answers) == 0) return std::nullopt;
  return Finding{"LINE", Category::im, "payload: LINE call opening"};
}

// QQ (OICQ; packet-oicq.c of Wireshark and the notes of myqq): 2, version, command, sequence, the user's number, …, 3.
// Versions 0x0a00 to 0x3f00 and commands below 0x03f8 are known. Random octets meet this once in 2^22, so a single
// datagram must also carry a user's number of at least 5 digits, and several must agree on it.
std::optional<Finding> qq(const FlowStart& flow) {
  const auto is_oicq = [](const Datagram& datagram) {
    const Bytes octets = datagram.octets;
    if (octets.size() < 20 || octet(octets, 0) != 2 || octet(octets, octets.size() - 1) != 3) return false;
    const std::uint16_t version = be16(octets, 1), command = be16(octets, 3);
    const bool known = (command >= 0x0001 && command <= 0x00b5) || command == 0x03f7 || command == 0x0825 ||
                       command == 0x0826 || command == 0x0828 || command == 0x0836;
    return version >= 0x0a00 && version <= 0x3fff && known && be32(octets, 7) >= 10'000;
  };
  const std::size_t found = count(flow, is_oicq);
  if (found == 0 || found != flow.datagrams.size()) return std::nullopt;
  if (found == 1 && (be16(flow.datagrams.front().octets, 1) & 0xff) > 0x8f) return std::nullopt;
  return Finding{"QQ", Category::im, "payload: OICQ packet"};
}

// Viber's calls: two octets that name the call on both sides, a kind, zero; kind 1's eight octets at 6 come back in
// kind 12's, or kind 9's eight octets at 4 in kind 11's. An echo of eight octets cannot be chance.
std::optional<Finding> viber(const FlowStart& flow) {
  const auto echoed = [&](std::uint8_t asked, std::size_t at, std::uint8_t answered, std::size_t back_at) {
    for (const Datagram& a : flow.datagrams) {
      if (a.octets.size() < at + 8 || octet(a.octets, 2) != asked || octet(a.octets, 3) != 0) continue;
      const Bytes mark = a.octets.substr(at, 8);
      if (mark.find_first_not_of(mark[0]) == Bytes::npos) continue;
      for (const Datagram& b : flow.datagrams)
        if (b.from != a.from && b.octets.size() >= back_at + 8 && octet(b.octets, 2) == answered &&
            octet(b.octets, 3) == 0 && b.octets.substr(0, 2) == a.octets.substr(0, 2) &&
            b.octets.substr(back_at, 8) == mark)
          return true;
    }
    return false;
  };
  if (!echoed(1, 6, 12, 6) && !echoed(9, 4, 11, 4)) return std::nullopt;
  return Finding{"Viber", Category::im, "payload: Viber call handshake, echoed"};
}

// imo's calls: short keep-alives of 10 or 11 octets, 09 02 or 00 09 03, a number, and five zeros. One is not enough
// (padding looks like it): two, or one beside datagrams of the same flow that begin 0x89 0x46 0x1a 0.
std::optional<Finding> imo(const FlowStart& flow) {
  const auto is_keepalive = [](const Datagram& datagram) {
    Bytes octets = datagram.octets;
    if (octets.size() == 11 && octet(octets, 0) == 0 && octet(octets, 2) == 3) octets.remove_prefix(1);
    return octets.size() == 10 && octet(octets, 0) == 9 && (octet(octets, 1) == 2 || octet(octets, 1) == 3) &&
           octet(octets, 3) != 0 && octets.substr(5) == "\0\0\0\0\0"sv;
  };
  const auto is_media = [](const Datagram& datagram) {
    return datagram.octets.size() > 64 && datagram.octets.starts_with("\x89\x46\x1a\0\0\0\0"sv);
  };
  const std::size_t keepalives = count(flow, is_keepalive), media = count(flow, is_media);
  if (keepalives >= 2 || (keepalives == 1 && media > 0) || media >= 3)
    return Finding{"IMO", Category::im, "payload: imo keep-alives"};
  return std::nullopt;
}

// TeamSpeak 3: "TS3INIT1"; TeamSpeak 2: 0xf4be (github.com/Youx/soliloque-server). Its license service answers a
// question of four octets with the same four and four more, then the long one.
std::optional<Finding> teamspeak(const FlowStart& flow) {
  for (const Datagram& datagram : flow.datagrams) {
    if (datagram.octets.starts_with("TS3INIT1"))
      return Finding{"TeamSpeak", Category::voip, "payload: TeamSpeak 3 handshake"};
    if (datagram.octets.size() >= 20 && be16(datagram.octets, 0) == 0xf4be && octet(datagram.octets, 2) >= 1 &&
        octet(datagram.octets, 2) <= 3 && octet(datagram.octets, 3) == 0)
      return Finding{"TeamSpeak", Category::voip, "payload: TeamSpeak 2 handshake"};
  }
  if (flow.datagrams.size() < 2) return std::nullopt;
  const Bytes asked = flow.datagrams[0].octets, answered = flow.datagrams[1].octets;
  if (flow.datagrams[0].from != flow.datagrams[1].from && asked.size() == 4 && answered.size() == 8 &&
      octet(asked, 0) == 1 && octet(asked, 3) == 1 && answered.starts_with(asked) && (octet(asked, 2) & 0x80) != 0)
    return Finding{"TeamSpeak", Category::voip, "payload: TeamSpeak server list"};
  return std::nullopt;
}

// Mumble (its protocol documentation, "UDP ping"): zero and eight octets, answered with a version, the same eight,
// users and bandwidth.
std::optional<Finding> mumble(const FlowStart& flow) {
  for (const Datagram& asked : flow.datagrams) {
    if (asked.octets.size() != 12 || be32(asked.octets, 0) != 0) continue;
    for (const Datagram& answered : flow.datagrams)
      if (answered.from != asked.from && answered.octets.size() == 24 && octet(answered.octets, 0) == 0 &&
          answered.octets.substr(4, 8) == asked.octets.substr(4))
        return Finding{"Mumble", Category::voip, "payload: Mumble ping, echoed"};
  }
  return std::nullopt;
}

constexpr std::array<Probe, 9> kProbes{stun, telegram, discord, line, viber, qq, imo, teamspeak, mumble};

}  // namespace

std::span<const Probe> messenger_datagram_probes() { return kProbes; }

}  // namespace chancery::sensor
