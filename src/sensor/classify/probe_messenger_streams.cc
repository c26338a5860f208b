// Today's messengers over TCP, as far as their first octets tell. Sources are named at each rule; none of these
// protocols is published by its owner but Telegram's and Threema's.
#include <algorithm>
#include <array>

#include "sensor/classify/probe.h"
#include "sensor/meta/digest.h"
#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

using namespace std::string_view_literals;

std::optional<Finding> im(std::string_view application, std::string_view evidence, bool swapped = false) {
  return Finding{application, Category::im, evidence, {}, swapped};
}

// Do frames with a length in front (`header`: octets before the body; `size_of`: the whole frame's size, 0 = cannot
// be) fill the octets? Counts whole ones; `exact`: the last one ends where the octets end.
struct Chain {
  std::size_t frames = 0;
  bool exact = false;
  bool broken = false;
};
template <class SizeOf>
Chain walk(Bytes octets, std::size_t header, SizeOf size_of) {
  Chain chain;
  while (octets.size() >= header) {
    const std::size_t size = size_of(octets);
    if (size < header) {
      chain.broken = true;
      return chain;
    }
    if (size > octets.size()) return chain;
    ++chain.frames;
    octets.remove_prefix(size);
  }
  chain.exact = octets.empty() && chain.frames > 0;
  return chain;
}

// WhatsApp: "WA", major and minor version, then frames with a length of three octets; with edge routing before it:
// "ED", 0, 1, a length of three octets, the routing data (Noise pipes; also yowsup's and whatsmeow's source).
std::optional<Finding> whatsapp(const FlowStart& flow) {
  Bytes octets = flow.client_octets;
  if (octets.starts_with("ED\0\1"sv)) {
    const std::size_t size = Reader{octets.substr(4)}.u24();
    if (octets.size() < 7 + size + 4) return std::nullopt;
    octets.remove_prefix(7 + size);
  }
  constexpr std::uint8_t kMajorMax = 9;
  if (!octets.starts_with("WA") || octets.size() < 8) return std::nullopt;
  if (octet(octets, 2) == 0 || octet(octets, 2) > kMajorMax || octet(octets, 3) > 64) return std::nullopt;
  const std::size_t size = Reader{octets.substr(4)}.u24();
  if (size == 0 || size > 8'192) return std::nullopt;
  return im("WhatsApp", "payload: WhatsApp stream header");
}

// Telegram, obfuscated (core.telegram.org/mtproto/mtproto-transports#transport-obfuscation): of the client's first 64
// octets, 8-39 are a key and 40-55 a counter of AES-256-CTR; deciphered by them, octets 56-59 name the transport.
// With an MTProxy's secret mixed in it cannot be told.
bool is_obfuscated_mtproto(Bytes client) {
  constexpr std::size_t kInitSize = 64;
  if (client.size() < kInitSize) return false;
  const Buffer clear = aes_256_ctr(client.substr(8, 32), client.substr(40, 16), client.substr(0, kInitSize));
  const std::uint32_t transport = be32(clear, 56);
  return transport == 0xefefefef || transport == 0xeeeeeeee || transport == 0xdddddddd;
}

// A message on any MTProto transport is a bare error code, or: auth_key_id zero, message id, length, text in clear
// (core.telegram.org/mtproto/auth_key), or auth_key_id, msg_key and whole AES blocks: 24 + 16 n octets.
bool is_mtproto_size(std::size_t size) {
  constexpr std::size_t kMessageMax = 1 << 24;
  return size >= 40 && size <= kMessageMax;
}

bool starts_mtproto_auth(Bytes message) {
  if (message.size() < 40 || le32(message, 0) != 0 || le32(message, 4) != 0) return false;
  const std::uint32_t constructor = le32(message, 20);
  return constructor == 0x60469778 || constructor == 0xbe7e8ef1;  // req_pq, req_pq_multi
}

std::optional<Finding> telegram(const FlowStart& flow) {
  const Bytes client = flow.client_octets;
  constexpr std::size_t kAbridgedQuestion = 42;
  if (client.size() < kAbridgedQuestion) return std::nullopt;
  if (octet(client, 0) == 0xef) {  // abridged: a length in words of one octet, or 0x7f and three
    const std::size_t head = octet(client, 1) == 0x7f ? 5 : 2;
    if (starts_mtproto_auth(client.substr(head))) return im("Telegram", "payload: MTProto abridged, key exchange");
    const auto size_of = [](Bytes octets) -> std::size_t {
      const bool wide = octet(octets, 0) == 0x7f;
      const std::size_t words = wide ? le32(octets, 0) >> 8 : octet(octets, 0);
      return words >= 10 && (words * 4) % 16 == 8 ? (wide ? 4U : 1U) + words * 4 : 0;
    };
    const Chain sent = walk(client.substr(1), 4, size_of), received = walk(flow.server_octets, 4, size_of);
    if (!sent.broken && !received.broken && sent.frames >= 2 && received.frames >= 2)
      return im("Telegram", "behaviour: MTProto abridged framing");
  }
  const std::uint32_t tag = be32(client, 0);
  if (tag == 0xeeeeeeee || tag == 0xdddddddd) {  // intermediate, padded intermediate
    const std::size_t size = le32(client, 4);
    if (starts_mtproto_auth(client.substr(8)) || is_mtproto_size(size))
      return im("Telegram", "payload: MTProto intermediate transport");
  }
  // Full: length, sequence number from 0, message, CRC-32.
  if (le32(client, 0) == client.size() && le32(client, 4) == 0 && starts_mtproto_auth(client.substr(8)))
    return im("Telegram", "payload: MTProto full transport, key exchange");
  if (!flow.midstream && is_obfuscated_mtproto(client)) return im("Telegram", "payload: MTProto obfuscated header");
  return std::nullopt;
}

// Threema (threema.ch cryptography whitepaper, "Chat server protocol"): hello 48 octets of the client, 80 of the
// server, sign-in 144 of the client and since 2021 an extension behind it, acknowledgement 32 of the server; then
// frames with a length of two octets, low octet first, a box of at least 20. All of it is enciphered, so this is by the
// shape of both directions: not one octet is constant.
std::optional<Finding> threema(const FlowStart& flow) {
  constexpr std::size_t kClientHello = 48, kServerHello = 80, kLogin = 144, kAcknowledge = 32;
  constexpr std::size_t kFrameMin = 20, kFrameMax = 8'192;
  if (flow.midstream || flow.client_octets.size() <= kClientHello + kLogin) return std::nullopt;
  if (flow.server_octets.size() <= kServerHello + kAcknowledge) return std::nullopt;
  const auto size_of = [](Bytes octets) -> std::size_t {
    const std::size_t size = le16(octets, 0);
    return size >= kFrameMin && size <= kFrameMax ? 2 + size : 0;
  };
  const Chain received = walk(flow.server_octets.substr(kServerHello + kAcknowledge), 2, size_of);
  // The first thing said is "your queue is empty" or a message: a frame of 20 octets is the server's echo or end.
  if (!received.exact || received.broken) return std::nullopt;
  const Bytes behind = flow.client_octets.substr(kClientHello + kLogin);
  for (const std::size_t extension : {std::size_t{0}, std::size_t{47}}) {
    if (behind.size() < extension) continue;
    const Bytes frames = behind.substr(extension);
    const Chain sent = walk(frames, 2, size_of);
    const bool silent = frames.empty() && extension != 0;
    if ((sent.exact || silent) && received.frames + sent.frames >= (silent ? 2U : 3U))
      return im("Threema", "behaviour: Threema's handshake sizes and framing on both sides");
    if (silent && flow.server_octets.size() == kServerHello + kAcknowledge + 22 &&
        le16(flow.server_octets, kServerHello + kAcknowledge) == kFrameMin)
      return im("Threema", "behaviour: Threema's handshake sizes and framing on both sides");
  }
  return std::nullopt;
}

// Viber: frames of a length (itself counted), a sequence number, zero; each low octet first. Seen in captures: four
// frames that count up by one. The client's greeting has 0xfc 0xff at 6 and a kind with 0x80 behind it, the server's
// 0x03 0x80 at 4, then zeros and 10 (nDPI's notes).
bool counts_up(Bytes octets) {
  constexpr std::size_t kProof = 4;
  std::size_t frames = 0;
  for (unsigned expected = 0; octets.size() >= 6; ++frames) {
    const std::size_t size = le16(octets, 0);
    const unsigned number = le16(octets, 2);
    if (size < 8 || le16(octets, 4) != 0 || (frames > 0 && number != expected)) return false;
    if (size > octets.size()) break;
    expected = (number + 1) & 0xffff;
    octets.remove_prefix(size);
  }
  return frames >= kProof;
}

std::optional<Finding> viber(const FlowStart& flow) {
  if (counts_up(flow.client_octets) || counts_up(flow.server_octets))
    return im("Viber", "payload: Viber frames that count up");
  const Bytes client = flow.client_octets, server = flow.server_octets;
  const auto whole = [](Bytes octets) { return le16(octets, 0) >= 11 && le16(octets, 0) <= octets.size(); };
  if (whole(client) && be16(client, 6) == 0xfcff && octet(client, 8) < 16 && octet(client, 9) == 0x80)
    return im("Viber", "payload: Viber greeting");
  if (whole(server) && be16(server, 4) == 0x0380 && be32(server, 6) == 0 && octet(server, 10) == 0x0a)
    return im("Viber", "payload: Viber greeting");
  return std::nullopt;
}

// KakaoTalk's LOCO (github.com/storycraft/node-kakao, pykakao). In clear: packet id, status, method of 11 octets,
// body type 0, length. Secure: 0x100 (size of the RSA block), key and cipher kinds, then 256 octets.
std::optional<Finding> kakaotalk(const FlowStart& flow) {
  constexpr std::array<Bytes, 8> kMethods{"CHECKIN\0\0\0\0"sv,   "LOGINLIST\0\0"sv,    "GETCONF\0\0\0\0"sv,
                                          "BUYCS\0\0\0\0\0\0"sv, "BUYREQ\0\0\0\0\0"sv, "PING\0\0\0\0\0\0\0"sv,
                                          "CHANGESVR\0\0"sv,     "WRITE\0\0\0\0\0\0"sv};
  const Bytes client = flow.client_octets;
  if (client.size() < 22) return std::nullopt;
  if (client.starts_with("\0\1\0\0"sv) && le32(client, 4) >= 1 && le32(client, 4) <= 32 && le32(client, 8) >= 1 &&
      le32(client, 8) <= 8)
    return im("KakaoTalk", "payload: LOCO secure handshake");
  if (std::ranges::find(kMethods, client.substr(6, 11)) != kMethods.end() && octet(client, 17) == 0)
    return im("KakaoTalk", "payload: LOCO command");
  return std::nullopt;
}

// WeChat. mmtls (github.com/WeMobileDev, "mmtls"): records like TLS's with version 0xf103 or 0xf104. Mars' long link
// (github.com/Tencent/mars, stn/proto/longlink_packer.cc): whole size, head size 16, version 1, command, sequence;
// each high octet first.
std::optional<Finding> wechat(const FlowStart& flow) {
  const Bytes client = flow.client_octets;
  if (client.size() < 16) return std::nullopt;
  const std::uint8_t type = octet(client, 0);
  if ((type == 0x16 || type == 0x19) && octet(client, 1) == 0xf1 && (octet(client, 2) == 3 || octet(client, 2) == 4) &&
      be16(client, 3) <= 16'384 && be16(client, 3) >= 16)
    return im("WeChat", "payload: mmtls record");
  const std::uint32_t size = be32(client, 0), command = be32(client, 8);
  if (size >= 16 && size <= 65'536 && be32(client, 4) == 0x00100001 && command > 0 && command < 0x10000 &&
      be32(client, 12) != 0)
    return im("WeChat", "payload: Mars long link");
  return std::nullopt;
}

// QQ over TCP: a length of two octets, then what UDP carries (see there).
std::optional<Finding> qq(const FlowStart& flow) {
  const Bytes client = flow.client_octets;
  const std::size_t size = be16(client, 0);
  if (size < 18 || size > client.size() || octet(client, 2) != 0x02 || octet(client, size - 1) != 0x03)
    return std::nullopt;
  const std::uint16_t version = be16(client, 3), command = be16(client, 5);
  if (version < 0x0a00 || version > 0x3f00 || command == 0 || command > 0x03f7) return std::nullopt;
  // Two frames, or one that fills what was sent and an answer of the same kind.
  const Bytes answer = flow.server_octets;
  if (answer.size() < 7 || be16(answer, 0) < 8 || octet(answer, 2) != 0x02 || be16(answer, 5) != command)
    return std::nullopt;
  return im("QQ", "payload: OICQ packets");
}

constexpr std::array<Probe, 7> kProbes{whatsapp, viber, kakaotalk, wechat, qq, threema, telegram};

}  // namespace

std::span<const Probe> messenger_stream_probes() { return kProbes; }

}  // namespace chancery::sensor
