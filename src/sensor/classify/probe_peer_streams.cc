// Peer to peer over TCP. Rules are from the protocols' own documents where there are any, else from clients' source;
// docs/protocols/p2p.md has them with examples.
#include <algorithm>
#include <array>

#include "sensor/classify/probe.h"
#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

using namespace std::string_view_literals;

std::optional<Finding> p2p(std::string_view application, std::string_view evidence) {
  return Finding{application, Category::p2p, evidence};
}

template <class Test>
bool either(const FlowStart& flow, Test test) {
  return test(flow.client_octets) || test(flow.server_octets);
}

// BEP 3, "peer protocol": the handshake; and in mid-stream messages of a length, a kind, and the size that the kind
// must have. Four in a row from the first octet seen, a request or piece among them.
bool are_peer_messages(Bytes octets) {
  constexpr std::size_t kProof = 4, kPieceMax = 9 + 128 * 1024;
  std::size_t found = 0, telling = 0;
  while (octets.size() >= 5) {
    const std::uint32_t size = be32(octets, 0);
    const std::uint8_t kind = octet(octets, 4);
    const bool fits = size == 0 || (size == 1 && kind <= 3) || (size == 5 && kind == 4) ||
                      (size > 1 && size < 8'192 && kind == 5) || (size == 13 && (kind == 6 || kind == 8)) ||
                      (size > 9 && size <= kPieceMax && kind == 7) || (size == 3 && kind == 9) ||
                      (size > 2 && size < 65'536 && kind == 20);
    if (!fits) return false;
    found += size != 0 ? 1 : 0;
    telling += kind >= 6 && size >= 13 ? 1 : 0;
    octets.remove_prefix(std::min<std::size_t>(octets.size(), 4U + size));
  }
  return found >= kProof && telling >= 2;
}

std::optional<Finding> bittorrent(const FlowStart& flow) {
  if (either(flow, [](Bytes octets) {
        return octets.starts_with(
            "\x13"
            "BitTorrent protocol");
      }))
    return p2p("BitTorrent", "payload: BitTorrent handshake");
  if (flow.midstream && either(flow, are_peer_messages)) return p2p("BitTorrent", "payload: BitTorrent peer messages");
  return std::nullopt;
}

// Gnutella 0.4 and 0.6 (rfc-gnutella.sourceforge.net): handshake, push, GIV; and in mid-stream descriptors of 23 octets
// of head: id, kind, TTL, hops, length.
bool are_descriptors(Bytes octets) {
  constexpr std::size_t kHead = 23, kProof = 3;
  constexpr std::uint32_t kPayloadMax = 65'536;
  constexpr Bytes kKinds = "\x00\x01\x02\x30\x31\x40\x80\x81"sv;
  std::size_t found = 0;
  while (octets.size() >= kHead) {
    const unsigned hops = octet(octets, 17) + 0U + octet(octets, 18);
    if (kKinds.find(octets[16]) == Bytes::npos || hops == 0 || hops > 15 || le32(octets, 19) > kPayloadMax)
      return false;
    if (octets.substr(0, 16).find_first_not_of(octets[0]) == Bytes::npos) return false;
    ++found;
    octets.remove_prefix(std::min<std::size_t>(octets.size(), kHead + le32(octets, 19)));
  }
  return found >= kProof;
}

std::optional<Finding> gnutella(const FlowStart& flow) {
  const auto shakes = [](Bytes octets) {
    return octets.starts_with("GNUTELLA CONNECT/0.") || octets.starts_with("GNUTELLA/0.") ||
           octets.starts_with("GNUTELLA OK") || octets.starts_with("PUSH guid:");
  };
  if (either(flow, shakes)) return p2p("Gnutella", "payload: Gnutella handshake");
  const auto gives = [](Bytes octets) {  // "GIV <index>:<32 hex digits>/<name>\n\n"
    const auto colon = octets.substr(0, 16).find(':');
    return octets.starts_with("GIV ") && colon != Bytes::npos && octet(octets, colon + 33) == '/';
  };
  if (either(flow, gives)) return p2p("Gnutella", "payload: Gnutella GIV");
  if (either(flow, are_descriptors)) return p2p("Gnutella", "payload: Gnutella descriptors");
  return std::nullopt;
}

// eDonkey and eMule (the eMule source, opcodes.h; Kulbak and Bickson, "The eMule protocol specification"): 0xe3, 0xc5
// (extensions) or 0xd4 (packed), a length low octet first, an operation. A greeting that has all its fields, or whole
// frames in both directions.
bool is_greeting(Bytes octets) {
  if (octet(octets, 0) != 0xe3 || octets.size() < 32) return false;
  const std::uint32_t size = le32(octets, 1);
  const std::uint8_t operation = octet(octets, 5);
  if (size < 26 || size > 1'024) return false;
  // Between peers a 16 comes first, the size of the user hash; an answer has none.
  const std::size_t hash = operation == 0x01 && octet(octets, 6) == 0x10 ? 7 : 6;
  const std::uint32_t tags = le32(octets, hash + 16 + 6);
  const std::uint8_t first_tag = octet(octets, hash + 16 + 10);
  const bool tag = first_tag == 2 || first_tag == 3 || (first_tag & 0x80) != 0;
  return (operation == 0x01 || operation == 0x4c) && tags >= 1 && tags <= 16 && tag;
}

bool are_edonkey_frames(Bytes octets) {
  constexpr std::uint32_t kFrameMax = 2'000'000;
  std::size_t frames = 0;
  while (octets.size() >= 6) {
    const std::uint8_t mark = octet(octets, 0);
    if (mark != 0xe3 && mark != 0xc5 && mark != 0xd4) return false;
    const std::uint32_t size = le32(octets, 1);
    if (size == 0 || size > kFrameMax) return false;
    ++frames;
    octets.remove_prefix(std::min<std::size_t>(octets.size(), 5U + size));
  }
  return frames >= 2 && octets.empty();
}

std::optional<Finding> edonkey(const FlowStart& flow) {
  if (either(flow, is_greeting)) return p2p("eDonkey", "payload: eDonkey greeting");
  if (are_edonkey_frames(flow.client_octets) && are_edonkey_frames(flow.server_octets))
    return p2p("eDonkey", "payload: eDonkey frames in both directions");
  return std::nullopt;
}

// FastTrack's file connections (giFT-FastTrack, PROTOCOL): HTTP with its own paths and headers; a pushed one begins
// "GIVE <id>". The sessions between supernodes are enciphered from the first octet and not recognised.
std::optional<Finding> fasttrack(const FlowStart& flow) {
  const auto is_transfer = [](Bytes octets) {
    if (octets.starts_with("GET /.hash=") || octets.starts_with("GET /.supernode")) return true;
    if (octets.starts_with("GIVE ")) {
      const Bytes number = octets.substr(5, octets.find_first_of("\r\n ", 5) - 5);
      return !number.empty() && number.size() <= 10 && octets.size() > 5 + number.size() &&
             number.find_first_not_of("0123456789") == Bytes::npos;
    }
    const bool http = octets.starts_with("HTTP/1.") || octets.starts_with("GET ");
    return http && octets.substr(0, 4'096).find("\nX-Kazaa-") != Bytes::npos;
  };
  if (either(flow, is_transfer)) return p2p("FastTrack", "payload: Kazaa transfer");
  return std::nullopt;
}

// Direct Connect. NMDC (nmdc.sourceforge.net): commands "$…|"; who accepts a connection says $Lock first. ADC
// (adc.sourceforge.io/ADC.html, §5.3): "HSUP", "CSUP" or "ISUP" with features added.
std::optional<Finding> direct_connect(const FlowStart& flow) {
  const auto is_nmdc = [](Bytes octets) {
    for (const Bytes opening : {"$Lock "sv, "$MyNick "sv, "$Supports "sv, "$Key "sv, "$ValidateNick "sv})
      if (octets.starts_with(opening)) return octets.find('|') != Bytes::npos;
    return false;
  };
  if (either(flow, is_nmdc)) return p2p("DirectConnect", "payload: NMDC command");
  const auto is_adc = [](Bytes octets) {
    return (octets.starts_with("HSUP AD") || octets.starts_with("CSUP AD") || octets.starts_with("ISUP AD")) &&
           octets.find('\n') != Bytes::npos;
  };
  if (either(flow, is_adc)) return p2p("DirectConnect", "payload: ADC SUP");
  return std::nullopt;
}

// Ares (Ares Galaxy's source; ipp2p's and l7-filter's rules): a first frame of three octets, kind 0x5a or 0x5d, that
// ends in 5; and its transfers.
std::optional<Finding> ares(const FlowStart& flow) {
  const Bytes client = flow.client_octets;
  if (client.size() >= 6 && client.starts_with("\3\0"sv) && (octet(client, 2) == 0x5a || octet(client, 2) == 0x5d) &&
      octet(client, 5) == 5 && !flow.server_octets.empty() && le16(flow.server_octets, 0) >= 1 &&
      le16(flow.server_octets, 0) <= 4'096 && octet(client, 3) != 0)
    return p2p("Ares", "payload: Ares session request");
  const auto is_transfer = [](Bytes octets) {
    return octets.starts_with("PUSH SHA1:") || octets.starts_with("GET sha1:") || octets.starts_with("GET ares:") ||
           (octets.starts_with("GET ") && octets.substr(0, 2'048).find("\nUser-Agent: Ares ") != Bytes::npos);
  };
  if (either(flow, is_transfer)) return p2p("Ares", "payload: Ares transfer");
  return std::nullopt;
}

// Soulseek (Nicotine+'s SLSKPROTOCOL.md): messages of a length and a code, strings with a length; all low octet first.
// Login: name, password, version, MD5 of both in 32 hex digits. PeerInit: name, "P", "F" or "D", token.
class SoulseekReader {
 public:
  explicit SoulseekReader(Bytes octets) : rest_(octets) {}
  std::uint32_t number() {
    const std::uint32_t value = le32(rest_, 0);
    skip(4);
    return value;
  }
  Bytes string(std::size_t max) {
    const std::size_t size = number();
    if (size > max || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    const Bytes text = rest_.substr(0, size);
    skip(size);
    return text;
  }
  bool ok() const { return ok_; }
  Bytes rest() const { return rest_; }

 private:
  void skip(std::size_t size) {
    ok_ = ok_ && size <= rest_.size();
    rest_.remove_prefix(std::min(size, rest_.size()));
  }
  Bytes rest_;
  bool ok_ = true;
};

bool is_soulseek_login(Bytes octets) {
  constexpr std::size_t kNameMax = 64;
  if (octets.size() < 12 || le32(octets, 4) != 1 || le32(octets, 0) > 1'024) return false;
  SoulseekReader reader{octets.substr(8)};
  const Bytes name = reader.string(kNameMax);
  (void)reader.string(kNameMax);  // the password: not looked at, not kept
  const std::uint32_t version = reader.number();
  const Bytes digest = reader.string(32);
  return reader.ok() && !name.empty() && version >= 100 && version < 1'000 && digest.size() == 32 &&
         digest.find_first_not_of("0123456789abcdef") == Bytes::npos;
}

bool is_soulseek_peer(Bytes octets) {
  constexpr std::size_t kNameMax = 64;
  if (octets.size() < 15 || octet(octets, 4) != 1) return false;
  const std::size_t size = le32(octets, 0);
  SoulseekReader reader{octets.substr(5)};
  const Bytes name = reader.string(kNameMax), kind = reader.string(1);
  (void)reader.number();
  return reader.ok() && !name.empty() && (kind == "P" || kind == "F" || kind == "D") &&
         size + 4 == octets.size() - reader.rest().size();
}

std::optional<Finding> soulseek(const FlowStart& flow) {
  if (is_soulseek_login(flow.client_octets)) return p2p("Soulseek", "payload: Soulseek login");
  if (is_soulseek_peer(flow.client_octets)) return p2p("Soulseek", "payload: Soulseek peer greeting");
  return std::nullopt;
}

// Manolito (MP2P; OpenDPI's notes): four words in turn, "SIZ ", "STR ", "MD5 ", "GO!!". Two of them, one of each side.
std::optional<Finding> manolito(const FlowStart& flow) {
  const auto word = [](Bytes octets) {
    constexpr std::array kWords{"SIZ "sv, "STR "sv, "MD5 "sv, "GO!!"sv};
    const auto at = std::ranges::find(kWords, octets.substr(0, 4));
    return at == kWords.end() ? -1 : static_cast<int>(at - kWords.begin());
  };
  const int client = word(flow.client_octets), server = word(flow.server_octets);
  if (client < 0 || server < 0 || client == server) return std::nullopt;
  return p2p("Manolito", "payload: Manolito handshake");
}

constexpr std::array<Probe, 8> kProbes{bittorrent,     gnutella, edonkey,  fasttrack,
                                       direct_connect, ares,     soulseek, manolito};

}  // namespace

std::span<const Probe> peer_stream_probes() { return kProbes; }

}  // namespace chancery::sensor
