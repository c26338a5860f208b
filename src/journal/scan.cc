#include "journal/scan.h"

#include <algorithm>
#include <fmt/format.h>

#include "core/crc32c.h"

namespace chancery::journal {
namespace {

constexpr std::size_t kWindowSize = 256U << 10;

}  // namespace

std::expected<Bytes, std::error_code> Window::view(std::uint64_t offset, std::size_t size) {
  if (offset < begin_ || offset + size > begin_ + octets_.size()) {
    octets_.resize(std::max(size, kWindowSize));
    begin_ = offset;
    const auto got = file_->read_at(offset, octets_);
    octets_.resize(got.value_or(0));
    if (!got) return std::unexpected(got.error());
  }
  return Bytes(octets_).substr(offset - begin_, size);
}

SegmentScanner::SegmentScanner(Crypto& crypto, File& file, const SegmentHeader& header)
    : crypto_(&crypto), window_(file), index_(header.first_index), chain_(header.chain) {}

void SegmentScanner::move_to(std::uint64_t offset, std::uint64_t index) {
  offset_ = offset;
  index_ = index;
  knows_chain_ = false;
}

std::expected<std::optional<GroupHeader>, std::error_code> SegmentScanner::peek() {
  const auto octets = window_.view(offset_, kGroupHeaderSize);
  if (!octets) return std::unexpected(octets.error());
  problem_.clear();
  if (octets->empty()) return std::nullopt;
  const auto header = decode_group_header(*octets);
  if (!header)
    problem_ = "group header";
  else if (header->first_index != index_)
    problem_ = fmt::format("group header says index {}", header->first_index);
  else if (knows_chain_ && header->chain != chain_)
    problem_ = "chain";
  if (!problem_.empty()) window_.forget();  // it may have been read while it was being written
  return problem_.empty() ? header : std::nullopt;
}

std::expected<std::optional<GroupHeader>, std::error_code> SegmentScanner::skip() {
  const auto header = peek();
  if (!header || !*header) return header;
  // The last frame's last octet must be there: a header alone promises nothing.
  const auto last = window_.view(offset_ + kGroupHeaderSize + (*header)->frames_size - 1, 1);
  if (!last) return std::unexpected(last.error());
  if (last->empty()) {
    problem_ = "group is cut off";
    window_.forget();
    return std::nullopt;
  }
  offset_ += kGroupHeaderSize + (*header)->frames_size;
  index_ += (*header)->frames;
  knows_chain_ = false;
  return header;
}

std::expected<std::optional<Group>, std::error_code> SegmentScanner::next() {
  const auto header = peek();
  if (!header) return std::unexpected(header.error());
  if (!*header) return std::nullopt;
  const auto octets = window_.view(offset_, kGroupHeaderSize + (*header)->frames_size);
  if (!octets) return std::unexpected(octets.error());
  Group group{**header, offset_, *octets, {}};
  problem_ = check_frames(group);
  if (!problem_.empty()) {
    window_.forget();
    return std::nullopt;
  }
  chain_ = next_chain(*crypto_, group.octets.substr(0, kGroupHeaderSize), group.frames.back().leaf);
  knows_chain_ = true;
  offset_ = group.end_offset();
  index_ = group.end_index();
  return group;
}

std::string SegmentScanner::check_frames(Group& group) {
  if (group.octets.size() < kGroupHeaderSize + group.header.frames_size) return "group is cut off";
  Bytes rest = group.octets.substr(kGroupHeaderSize);
  Buffer crcs;
  group.frames.reserve(group.header.frames);
  for (std::uint32_t i = 0; i < group.header.frames; ++i) {
    const std::uint64_t index = group.header.first_index + i;
    const auto frame = decode_frame(*crypto_, rest);
    if (!frame || frame->index != index) return fmt::format("frame of record {}", index);
    crcs += rest.substr(0, sizeof frame->crc);
    rest.remove_prefix(size_of(*frame));
    group.frames.push_back(*frame);
  }
  if (!rest.empty()) return "octets after the last frame of the group";
  if (mask_crc(crc32c(crcs)) != group.header.frames_crc) return "group header's CRC of its frames";
  return {};
}

std::expected<std::uint64_t, std::error_code> durable_after(File& file, std::uint64_t offset) {
  Window window(file);
  std::uint64_t durable = 0;
  while (true) {
    const auto octets = window.view(offset, kWindowSize);
    if (!octets) return std::unexpected(octets.error());
    if (octets->size() < kGroupHeaderSize) return durable;
    for (std::size_t at = octets->find('\x9c'); at != Bytes::npos; at = octets->find('\x9c', at + 1))
      if (const auto header = decode_group_header(octets->substr(at))) durable = std::max(durable, header->durable);
    if (octets->size() < kWindowSize) return durable;
    offset += octets->size() - kGroupHeaderSize + 1;
  }
}

}  // namespace chancery::journal
