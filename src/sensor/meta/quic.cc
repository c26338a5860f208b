#include "sensor/meta/quic.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "sensor/meta/digest.h"
#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

using namespace std::string_view_literals;

struct Dialect {
  Bytes salt;
  bool version_2 = false;
  bool chlo = false;  // Google's handshake instead of TLS
};

// RFC 9001 §5.2, RFC 9369 §3.3.1, the drafts' §5.2, and Chromium's quic/core/crypto/crypto_utils.cc.
constexpr Bytes kSaltV1 = "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"sv;
constexpr Bytes kSaltV2 = "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"sv;
constexpr Bytes kSalt29 = "\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"sv;
constexpr Bytes kSalt23 = "\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02"sv;
constexpr Bytes kSalt22 = "\x7f\xbc\xdb\x0e\x7c\x66\xbb\xe9\x19\x3a\x96\xcd\x21\x51\x9e\xbd\x7a\x02\x64\x4a"sv;
constexpr Bytes kSaltQ50 = "\x50\x45\x74\xef\xd0\x66\xfe\x2f\x9d\x94\x5c\xfc\xdb\xd3\xa7\xf0\xd3\xb5\x6b\x45"sv;
constexpr Bytes kSaltT50 = "\x7f\xf5\x79\xe5\xac\xd0\x72\x91\x55\x80\x30\x4c\x43\xa2\x36\x7c\x60\x48\x83\x10"sv;
constexpr Bytes kSaltT51 = "\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d"sv;

std::optional<Dialect> dialect_of(std::uint32_t version) {
  const std::uint32_t draft = version & 0xff;
  if (version == 1) return Dialect{kSaltV1};
  if (version == 0x6b3343cf) return Dialect{kSaltV2, true};
  if (version == 0x51303530) return Dialect{kSaltQ50, false, true};
  if (version == 0x54303530) return Dialect{kSaltT50};
  if (version == 0x54303531) return Dialect{kSaltT51};
  if (version == 0xfaceb001) return Dialect{kSalt22};
  if (version == 0xfaceb002 || version == 0xfaceb00e) return Dialect{kSalt23};
  if (version >> 8 != 0xff0000) return std::nullopt;
  if (draft == 22) return Dialect{kSalt22};
  if (draft >= 23 && draft <= 28) return Dialect{kSalt23};
  if (draft >= 29 && draft <= 34) return Dialect{draft <= 32 ? kSalt29 : kSaltV1};
  return std::nullopt;
}

std::uint64_t varint(Reader& reader) {  // RFC 9000 §16
  const std::uint8_t first = reader.u8();
  std::uint64_t value = first & 0x3f;
  for (int i = 1; i < 1 << (first >> 6); ++i) value = value << 8 | reader.u8();
  return value;
}

struct Keys {
  Buffer key, iv, header;
};

Keys client_keys(const Dialect& dialect, Bytes destination) {
  const Buffer initial = hmac_sha256(dialect.salt, destination);
  const Buffer client = hkdf_expand_label(initial, "client in", 32);
  const bool v2 = dialect.version_2;
  return {hkdf_expand_label(client, v2 ? "quicv2 key" : "quic key", 16),
          hkdf_expand_label(client, v2 ? "quicv2 iv" : "quic iv", 12),
          hkdf_expand_label(client, v2 ? "quicv2 hp" : "quic hp", 16)};
}

// One long-header packet at the begin of `datagram` (RFC 9000 §17.2).
struct Packet {
  std::uint8_t first = 0;
  std::uint32_t version = 0;
  Bytes destination;
  Bytes head;    // up to the packet number
  Bytes sealed;  // packet number and payload
  std::size_t size = 0;
};

std::optional<Packet> read_packet(Bytes datagram, const Dialect& dialect) {
  constexpr std::size_t kIdMax = 20;
  Reader reader{datagram};
  Packet packet;
  packet.first = reader.u8();
  packet.version = reader.u32();
  packet.destination = reader.counted8();
  const Bytes source = reader.counted8();
  const unsigned type = packet.first >> 4 & 3;
  const bool initial = type == (dialect.version_2 ? 1 : 0);
  if (!reader.ok() || packet.destination.size() > kIdMax || source.size() > kIdMax) return std::nullopt;
  if (initial) reader.take(varint(reader));  // the token
  const std::uint64_t length = varint(reader);
  if (!reader.ok() || length > reader.left()) return std::nullopt;
  packet.head = datagram.substr(0, datagram.size() - reader.left());
  packet.sealed = reader.take(length);
  packet.size = packet.head.size() + packet.sealed.size();
  if (!initial) packet.sealed = {};
  return packet;
}

// RFC 9001 §5.3, §5.4.
std::optional<Buffer> open_packet(const Packet& packet, const Keys& keys) {
  constexpr std::size_t kSampleAt = 4, kSampleSize = 16;
  if (packet.sealed.size() < kSampleAt + kSampleSize) return std::nullopt;
  const Buffer mask = aes_128_block(keys.header, packet.sealed.substr(kSampleAt, kSampleSize));
  if (mask.size() < 5) return std::nullopt;
  Buffer head{packet.head};
  head[0] = static_cast<char>(octet(head, 0) ^ (octet(mask, 0) & 0x0f));
  const std::size_t number_size = (octet(head, 0) & 3U) + 1;
  Buffer nonce = keys.iv;
  for (std::size_t i = 0; i < number_size; ++i) {
    const auto clear = static_cast<char>(octet(packet.sealed, i) ^ octet(mask, 1 + i));
    head.push_back(clear);
    const std::size_t at = nonce.size() - number_size + i;
    nonce[at] = static_cast<char>(nonce[at] ^ clear);
  }
  return aes_128_gcm_open(keys.key, nonce, head, packet.sealed.substr(number_size));
}

// Octets of the handshake put where they belong; what is contiguous from the begin is what can be read.
class Crypto {
 public:
  void put(std::uint64_t offset, Bytes octets) {
    if (offset + octets.size() > kQuicCryptoMax) return;
    const auto at = static_cast<std::size_t>(offset);
    if (octets_.size() < at + octets.size()) {
      octets_.resize(at + octets.size());
      known_.resize(octets_.size());
    }
    octets.copy(octets_.data() + at, octets.size());
    std::fill_n(known_.begin() + static_cast<std::ptrdiff_t>(at), octets.size(), true);
  }
  Bytes contiguous() const {
    const auto end = std::ranges::find(known_, false);
    return Bytes{octets_}.substr(0, static_cast<std::size_t>(end - known_.begin()));
  }
  bool empty() const { return octets_.empty(); }

 private:
  Buffer octets_;
  std::vector<bool> known_;
};

// RFC 9000 §12.4: the frames that an Initial packet may hold.
void read_frames(Bytes frames, Crypto& crypto) {
  constexpr std::uint64_t kPadding = 0, kPing = 1, kAck = 2, kAckEcn = 3, kCrypto = 6;
  Reader reader{frames};
  while (reader.left() > 0) {
    const std::uint64_t type = varint(reader);
    if (type == kPadding || type == kPing) continue;
    if (type == kCrypto) {
      const std::uint64_t offset = varint(reader);
      const Bytes octets = reader.take(varint(reader));
      if (!reader.ok()) return;
      crypto.put(offset, octets);
    } else if (type == kAck || type == kAckEcn) {
      varint(reader);
      varint(reader);
      const std::uint64_t ranges = std::min<std::uint64_t>(varint(reader), reader.left());
      varint(reader);
      for (std::uint64_t i = 0; i < 2 * ranges; ++i) varint(reader);
      for (int i = 0; type == kAckEcn && i < 3; ++i) varint(reader);
    } else {
      return;
    }
  }
}

// Google's CHLO: "CHLO", the count of tags, padding, then tag and end offset of each value (draft-tsvwg-quic-crypto).
Parsed read_chlo(Bytes octets, ClientHello& out) {
  constexpr std::size_t kTagsMax = 128;
  const auto at = octets.find("CHLO");
  if (at == Bytes::npos) return Parsed::no;
  const Bytes message = octets.substr(at);
  const std::size_t tags = le16(message, 4);
  if (tags == 0 || tags > kTagsMax || message.size() < 8 + tags * 8) return Parsed::no;
  const Bytes values = message.substr(8 + tags * 8);
  out = {};
  std::size_t begin = 0;
  for (std::size_t i = 0; i < tags; ++i) {
    const std::size_t end = le32(message, 8 + i * 8 + 4);
    if (end < begin || end > values.size()) return i > 0 ? Parsed::yes : Parsed::no;
    if (message.substr(8 + i * 8, 4) == "SNI\0"sv) out.server_name = normal_host(values.substr(begin, end - begin));
    begin = end;
  }
  return Parsed::yes;
}

// Q024 to Q043 (public header) and Q046 (long header): the handshake is in clear.
Parsed parse_clear(Bytes datagram, ClientHello& out) {
  constexpr std::size_t kHeadMax = 64;
  const std::size_t at = (octet(datagram, 0) & 0x80) != 0 ? 1 : 9;
  const Bytes version = datagram.substr(std::min(at, datagram.size()), 4);
  if (version.size() < 4 || version[0] != 'Q' || version[1] != '0' || version[2] < '2' || version[2] > '4')
    return Parsed::no;
  if (at == 9 && (octet(datagram, 0) & 0x09) != 0x09) return Parsed::no;  // version and connection id present
  const auto chlo = datagram.find("CHLO");
  if (chlo == Bytes::npos || chlo > kHeadMax) return Parsed::need_more;
  return read_chlo(datagram, out);
}

}  // namespace

bool is_quic_long_header(Bytes datagram) {
  if (datagram.size() < 7 || (octet(datagram, 0) & 0xc0) != 0xc0) return false;
  const std::uint32_t version = be32(datagram, 1);
  return dialect_of(version) && octet(datagram, 5) <= 20;
}

Parsed parse_quic(std::span<const Bytes> client_datagrams, ClientHello& out) {
  constexpr std::size_t kDatagramMin = 200;  // a client pads to 1,200; Google's older versions to less
  if (client_datagrams.empty()) return Parsed::need_more;
  const Bytes first = client_datagrams.front();
  if (!is_quic_long_header(first)) return parse_clear(first, out);
  if (first.size() < kDatagramMin) return Parsed::no;
  const Dialect dialect = *dialect_of(be32(first, 1));
  const auto opening = read_packet(first, dialect);
  if (!opening) return Parsed::no;
  const Keys keys = client_keys(dialect, opening->destination);
  Crypto crypto;
  bool opened = false;
  for (Bytes datagram : client_datagrams.first(std::min(client_datagrams.size(), kQuicDatagramsMax))) {
    while (is_quic_long_header(datagram)) {
      const auto packet = read_packet(datagram, dialect);
      if (!packet) break;
      auto clear = open_packet(*packet, keys);
      if (!clear && !packet->sealed.empty() && packet->destination != opening->destination)
        clear = open_packet(*packet, client_keys(dialect, packet->destination));  // after a Retry
      if (clear) opened = true, read_frames(*clear, crypto);
      if (clear && dialect.chlo && read_chlo(*clear, out) == Parsed::yes) return Parsed::yes;
      datagram.remove_prefix(packet->size);
    }
  }
  if (!opened) return Parsed::no;
  return crypto.empty() ? Parsed::need_more : parse_client_hello_message(crypto.contiguous(), out);
}

}  // namespace chancery::sensor
