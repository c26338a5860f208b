#include "merkle/checkpoint.h"

#include <fmt/format.h>

#include "core/encoding.h"
#include "core/utf8.h"
#include "merkle/decimal.h"

namespace chancery::merkle {
namespace {

constexpr std::string_view kProofHeader = "c2sp.org/tlog-proof@v1";
constexpr std::size_t kRequestHashesMax = 63;  // tlog-witness, add-checkpoint

// Takes the next line off `rest`, without its newline; nullopt at the end or when the newline is missing.
std::optional<std::string_view> take_line(Bytes& rest) {
  const auto end = rest.find('\n');
  if (end == Bytes::npos) return std::nullopt;
  const Bytes line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

std::optional<std::string_view> after(std::optional<std::string_view> line, std::string_view prefix) {
  if (!line || !line->starts_with(prefix)) return std::nullopt;
  return line->substr(prefix.size());
}

// Base64 hash lines up to and with the empty line that ends them.
std::optional<Proof> take_hashes(Bytes& rest, std::size_t count_max) {
  Proof proof;
  while (true) {
    const auto line = take_line(rest);
    if (!line) return std::nullopt;
    if (line->empty()) return proof;
    const auto hash = hash_from_base64(*line);
    if (!hash || proof.size() == count_max) return std::nullopt;
    proof.push_back(*hash);
  }
}

std::optional<std::uint64_t> take_number(Bytes& rest, std::string_view prefix) {
  const auto text = after(take_line(rest), prefix);
  return text ? parse_decimal(*text) : std::nullopt;
}

void put_hashes(Buffer& out, const Proof& proof) {
  for (const Hash& hash : proof) out += to_base64(hash) + "\n";
  out += "\n";
}

}  // namespace

Buffer Checkpoint::text() const {
  Buffer text = fmt::format("{}\n{}\n{}\n", origin, head.size, to_base64(head.root));
  for (const std::string& line : extensions) text += line + "\n";
  return text;
}

std::expected<Checkpoint, std::error_code> Checkpoint::parse(Bytes text) {
  if (text.size() > kNoteSizeMax) return std::unexpected(NoteError::too_large);
  if (!is_utf8(text)) return std::unexpected(NoteError::bad_checkpoint);
  const auto origin = take_line(text);
  const auto size = take_number(text, "");
  const auto root = take_line(text);
  const auto hash = root ? hash_from_base64(*root) : std::nullopt;
  if (!origin || origin->empty() || !size || !hash) return std::unexpected(NoteError::bad_checkpoint);
  Checkpoint checkpoint{std::string{*origin}, {*size, *hash}, {}};
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!line || line->empty()) return std::unexpected(NoteError::bad_checkpoint);
    checkpoint.extensions.emplace_back(*line);
  }
  return checkpoint;
}

std::vector<std::string> Extensions::lines() const {
  return {"time " + to_rfc3339(time), "previous " + to_base64(previous)};
}

std::optional<Extensions> Extensions::parse(const std::vector<std::string>& lines) {
  if (lines.size() != 2) return std::nullopt;
  const auto time_text = after(lines[0], "time "), previous_text = after(lines[1], "previous ");
  if (!time_text || !previous_text) return std::nullopt;
  const auto time = parse_rfc3339(*time_text);
  const auto previous = hash_from_base64(*previous_text);
  if (!time || !previous || to_rfc3339(*time) != *time_text) return std::nullopt;
  return Extensions{*time, *previous};
}

Buffer InclusionProof::encode() const {
  Buffer out = fmt::format("{}\n", kProofHeader);
  if (extra) out += fmt::format("extra {}\n", chancery::to_base64(*extra));
  out += fmt::format("index {}\n", index);
  put_hashes(out, hashes);
  return out + checkpoint;
}

std::expected<InclusionProof, std::error_code> InclusionProof::parse(Bytes text) {
  InclusionProof result;
  if (take_line(text) != kProofHeader) return std::unexpected(NoteError::bad_proof);
  if (text.starts_with("extra ")) {
    const auto extra = after(take_line(text), "extra ");
    if (extra) result.extra = from_base64(*extra);
    if (!result.extra) return std::unexpected(NoteError::bad_proof);
  }
  const auto index = take_number(text, "index ");
  auto hashes = index ? take_hashes(text, kProofHashesMax) : std::nullopt;
  if (!hashes || text.empty()) return std::unexpected(NoteError::bad_proof);
  result.index = *index;
  result.hashes = std::move(*hashes);
  result.checkpoint = text;
  return result;
}

Buffer AddCheckpoint::encode() const {
  Buffer out = fmt::format("old {}\n", old_size);
  put_hashes(out, proof);
  return out + checkpoint;
}

std::expected<AddCheckpoint, std::error_code> AddCheckpoint::parse(Bytes body) {
  const auto old_size = take_number(body, "old ");
  auto proof = old_size ? take_hashes(body, kRequestHashesMax) : std::nullopt;
  if (!proof || body.empty()) return std::unexpected(NoteError::bad_proof);
  return AddCheckpoint{*old_size, std::move(*proof), Buffer{body}};
}

}  // namespace chancery::merkle
