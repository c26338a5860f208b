// Peer-to-peer messages inside a switchboard: binary blocks that carry MSNSLP, an invitation in the manner of SIP.
// docs/protocols/msnp.md, "Peer to peer".
#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "codec/msnp/state.h"
#include "codec/wire/charset.h"
#include "codec/wire/octets.h"
#include "core/encoding.h"

namespace chancery::msnp {
namespace {

constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kInvitationMax = 16'384;  // octets of one invitation
constexpr Bytes kFileTransfer{"{5D3E02AB-6190-11D3-BBBB-00C04F795683}"};
constexpr Bytes kInvite{"INVITE MSNMSGR:"};

struct Block {
  std::string key;  // of the message it is a piece of
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  Bytes data;
};

// Version 1: 48 octets, little-endian: session, message, offset, total, length, flags, acknowledgement.
std::optional<Block> parse_block(Bytes body) {
  Octets in{body};
  Block block;
  const std::uint32_t session = in.u32_le();
  block.key = fmt::format("p2p {}", in.u32_le());
  block.offset = in.u64_le();
  block.total = in.u64_le();
  const std::uint32_t size = in.u32_le();
  const std::uint32_t flags = in.u32_le();
  if (!in.ok() || body.size() < kHeaderSize) return std::nullopt;
  block.data = body.substr(kHeaderSize, size);
  // Session 0 is where sessions are agreed on; the rest is contents of files and pictures.
  constexpr std::uint32_t kAcknowledgement = 2;
  if (session != 0 || (flags & ~0x01000000U) >= kAcknowledgement || block.data.size() != size) return std::nullopt;
  if (block.total > kInvitationMax || block.offset + size > block.total) return std::nullopt;
  return block;
}

// Version 2 (MSNP16): both headers begin with their own length; what fits in one block is read.
std::optional<Block> parse_second_version(Bytes body) {
  Octets in{body};
  const std::uint8_t header = in.u8();
  if (header < 8 || header >= kHeaderSize) return std::nullopt;
  in.skip(header - 1U);
  const std::uint8_t inner = in.u8();
  if (inner < 8) return std::nullopt;
  in.skip(inner - 1U);
  if (!in.ok()) return std::nullopt;
  Block block;
  block.data = in.rest();
  block.total = block.data.size();
  return block.data.starts_with(kInvite) ? std::optional{block} : std::nullopt;
}

// The context of a file transfer, in base64: length of the header, version, size of the file (8), type, name in
// UTF-16LE, 0-terminated.
void read_context(Bytes context, File& file) {
  constexpr std::size_t kNameMax = 520;
  Buffer padded{context};
  while (padded.size() % 4 != 0) padded += '=';
  const auto octets = from_base64(padded);
  if (!octets) return;
  Octets in{*octets};
  in.u32_le();
  in.u32_le();
  const std::uint64_t size = in.u64_le();
  in.u32_le();
  if (!in.ok()) return;
  file.size = size;
  const Bytes rest = in.rest();
  const std::string name = from_utf16_le(rest.substr(0, std::min(rest.size(), kNameMax)));
  file.name = name.substr(0, name.find('\0'));
}

void read_invitation(const State& state, Unit& unit, Bytes slp, const std::string& from, Bytes destination) {
  if (!slp.starts_with(kInvite)) return;
  const std::size_t end = slp.find("\r\n\r\n");
  if (end == Bytes::npos) return;
  const Bytes body = slp.substr(end + 4);
  if (find_header(body, "EUF-GUID") != kFileTransfer) return;  // display pictures, emoticons, webcams
  Event& event = add_event(state, unit, Kind::file_offer, from);
  if (is_address(destination)) event.to = {address_of(destination)};
  event.id = from_unstated(find_header(slp.substr(0, end + 2), "Call-ID"));
  File& file = event.files.emplace_back();
  file.method = "msnslp";
  read_context(find_header(body, "Context"), file);
}

}  // namespace

void read_peer(State& state, Unit& unit, const Mime& mime, const std::string& from) {
  const Bytes destination = mime.header("P2P-Dest");
  if (unit.from == Side::server && state.address.empty() && is_address(destination))
    state.address = address_of(destination);
  const bool second_version = destination.find(';') != Bytes::npos;
  const auto block = second_version ? parse_second_version(mime.body) : parse_block(mime.body);
  if (!block) return;
  if (block->offset == 0 && block->data.size() == block->total)
    return read_invitation(state, unit, block->data, from, destination);
  Unfinished& unfinished = state.unfinished[static_cast<std::size_t>(unit.from)];
  const std::string key = from + ' ' + block->key;
  Pieces* pieces = block->offset == 0 ? &unfinished.start(key) : unfinished.find(key);
  if (!pieces) return;
  if (block->offset != pieces->joined.size()) return unfinished.drop(key);
  pieces->joined += block->data;
  if (pieces->joined.size() < block->total) return;
  const Buffer joined = std::move(pieces->joined);
  unfinished.drop(key);
  read_invitation(state, unit, joined, from, destination);
}

}  // namespace chancery::msnp
