#include "archive/verify/segment.h"

#include <algorithm>

#include "core/crc32c.h"

namespace chancery::verify {
namespace {

constexpr std::string_view kSegmentMagic{"CHSEGMT\n", 8};
constexpr std::string_view kGroupMagic{"\x9cGRP", 4};
constexpr std::string_view kChainLabel = "chancery/1/chain";
constexpr std::size_t kHeaderSize = 256, kGroupSize = 68, kFrameSize = 16, kOriginSizeMax = 145;
constexpr std::uint64_t kGroupFramesMax = 256, kGroupOctetsMax = 16'777'216, kFrameOctetsMax = 4'194'420;

std::uint64_t number_at(Bytes octets, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(octets[at + i]);
  return value;
}

std::uint32_t crc_of(Bytes octets) { return mask_crc(crc32c(octets)); }

// The sentence for what is wrong with a segment header; empty: nothing.
std::string header_fault(Bytes header, const SegmentContext& context) {
  if (header.size() < kHeaderSize) return "the file is shorter than a segment header";
  if (number_at(header, 252, 4) != crc_of(header.substr(0, 252))) return "segment header: CRC";
  if (!header.starts_with(kSegmentMagic)) return "segment header: magic";
  if (number_at(header, 8, 2) != 1 || number_at(header, 10, 2) != 1) return "segment header: unknown version or suite";
  if (number_at(header, 12, 4) != context.number) return "segment header: it is another segment's";
  if (number_at(header, 16, 8) != context.first_index)
    return "segment header: records before it are missing or repeated";
  if (number_at(header, 24, 8) != context.previous_size) return "segment header: the segment before had another size";
  if (header.substr(32, 32) != bytes_of(context.chain)) return "segment header: it does not follow the segment before";
  const std::size_t origin_size = number_at(header, 80, 2);
  if (origin_size == 0 || origin_size > kOriginSizeMax || header.substr(82, origin_size) != context.origin)
    return "segment header: it is another log's";
  const Bytes padding = header.substr(82 + origin_size, kHeaderSize - 4 - 82 - origin_size);
  return std::ranges::all_of(padding, [](char c) { return c == 0; }) ? "" : "segment header: padding";
}

bool has_body(LeafType type) { return type != LeafType::segment_opened && type != LeafType::sheet_replaced; }

class SegmentReader {
 public:
  SegmentReader(Bytes file, const SegmentContext& context, const std::function<void(const Frame&)>& visit)
      : file_(file), context_(context), visit_(visit), index_(context.first_index), chain_(context.chain) {}

  SegmentResult run() {
    if (std::string fault = header_fault(file_.substr(0, kHeaderSize), context_); !fault.empty()) fail(fault);
    at_ = kHeaderSize;
    while (!damage_ && at_ < file_.size()) read_group();
    return {damage_, {context_.origin, context_.number + 1, index_, file_.size(), chain_}};
  }

 private:
  void fail(std::string what) {
    if (!damage_) damage_ = Damage{index_, at_, std::move(what)};
  }

  void read_group() {
    const Bytes header = file_.substr(at_, kGroupSize);
    if (header.size() < kGroupSize) return fail("group header: cut off");
    if (!header.starts_with(kGroupMagic)) return fail("group header: magic");
    if (number_at(header, 4, 4) != crc_of(header.substr(8))) return fail("group header: CRC");
    const std::uint64_t frames = number_at(header, 8, 4), octets = number_at(header, 12, 4);
    if (frames == 0 || frames > kGroupFramesMax || octets > kGroupOctetsMax) return fail("group header: sizes");
    if (number_at(header, 16, 8) != index_) return fail("group header: records before it are missing or repeated");
    if (number_at(header, 24, 8) > index_) return fail("group header: durable index");
    if (header.substr(36, 32) != bytes_of(chain_)) return fail("group header: it does not follow the group before");
    if (file_.size() - at_ - kGroupSize < octets) return read_cut_group(frames);
    const std::size_t begin = at_, first = at_ + kGroupSize;
    at_ = first;
    Buffer crcs;
    Bytes last_leaf;
    for (std::uint64_t i = 0; i < frames; ++i) {
      const auto frame = read_frame(first + octets);
      if (!frame) return;
      crcs += file_.substr(frame->offset, 4);
      last_leaf = frame->leaf_octets;
    }
    if (at_ != first + octets) return fail("group: octets after its last frame");
    if (number_at(header, 32, 4) != crc_of(crcs))
      return rewind(begin, frames, "group: its frames are not those it was written with");
    chain_ = merkle::sha256({kChainLabel, header, last_leaf});
  }

  // The group is cut off by the end of the file; the frames that are whole are still read, so that the damage names
  // the first record that is lost.
  void read_cut_group(std::uint64_t frames) {
    at_ += kGroupSize;
    for (std::uint64_t i = 0; i < frames; ++i)
      if (!read_frame(file_.size())) return;
    fail("group: cut off");
  }

  void rewind(std::size_t offset, std::uint64_t frames, std::string what) {
    at_ = offset;
    index_ -= frames;
    fail(std::move(what));
  }

  std::optional<Frame> read_frame(std::size_t end) {
    const auto bad = [&](const char* what) -> std::optional<Frame> { return fail(what), std::nullopt; };
    if (end - at_ < kFrameSize) return bad("frame: cut off");
    const std::uint64_t octets = number_at(file_, at_ + 4, 4);
    if (octets < kLeafSize || octets > kFrameOctetsMax || octets > end - at_ - kFrameSize) return bad("frame: length");
    const Bytes whole = file_.substr(at_, kFrameSize + octets);
    if (number_at(whole, 0, 4) != crc_of(whole.substr(4))) return bad("frame: CRC");
    if (number_at(whole, 8, 8) != index_) return bad("frame: index");
    const auto leaf = decode_leaf(whole.substr(kFrameSize, kLeafSize));
    if (!leaf) return bad("leaf: unknown version or type");
    const Frame frame{index_, at_, whole.substr(kFrameSize, kLeafSize), *leaf, whole.substr(kFrameSize + kLeafSize)};
    if (frame.body.empty() == has_body(leaf->type)) return bad("frame: a body where there is none, or none");
    if (leaf->type == LeafType::record && leaf->second != merkle::sha256(frame.body))
      return bad("record: its body is not the one its leaf names");
    visit_(frame);
    at_ += whole.size();
    ++index_;
    return frame;
  }

  Bytes file_;
  const SegmentContext& context_;
  const std::function<void(const Frame&)>& visit_;
  std::size_t at_ = 0;
  std::uint64_t index_;
  Hash chain_;
  std::optional<Damage> damage_;
};

}  // namespace

SegmentContext first_segment(const std::string& origin) {
  return {origin, 0, 0, 0, merkle::sha256({kChainLabel, origin})};
}

SegmentResult read_segment(Bytes file, const SegmentContext& context, const std::function<void(const Frame&)>& visit) {
  return SegmentReader{file, context, visit}.run();
}

}  // namespace chancery::verify
