// Hostile segment files: whatever they hold, reader and recovery end, stay inside their memory, and agree. The input is
// either the file as it is, or a list of changes to fields behind which all CRCs are made right again, so that the
// checks after the CRCs are reached.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/crc32c.h"
#include "journal/format.h"
#include "journal/memory_disk.h"
#include "journal/reader.h"
#include "journal/recovery.h"

namespace chancery::journal {
namespace {

const std::string kFolder = "/log";

// Takes numbers off the front of the input.
class Input {
 public:
  explicit Input(Bytes octets) : octets_(octets) {}
  std::uint64_t number(std::size_t size) {
    size = std::min(size, octets_.size());
    const std::uint64_t value = get_be(octets_.data(), size);
    octets_.remove_prefix(size);
    return value;
  }
  Bytes take(std::size_t size) {
    const Bytes taken = octets_.substr(0, size);
    octets_.remove_prefix(taken.size());
    return taken;
  }
  bool is_empty() const { return octets_.empty(); }
  Bytes rest() const { return octets_; }

 private:
  Bytes octets_;
};

Buffer made_frame(Crypto& crypto, Input& input, std::uint64_t index) {
  Leaf leaf;
  leaf.type = static_cast<LeafType>(input.number(1) % 8);
  leaf.conversation_sequence = input.number(1);
  const Bytes body = input.take(input.number(1));
  if (input.number(1) % 4 != 0) leaf.second = crypto.sha256({body});
  const auto octets = encode(leaf);
  Buffer frame(kFrameHeaderSize, '\0');
  frame.append(octets.data(), octets.size()).append(body);
  finish_frame(frame, index + input.number(1) / 128);
  return frame;
}

// Groups with right CRCs and fields near what is right.
Buffer made_segment(Crypto& crypto, Input input, const std::string& origin) {
  SegmentHeader header{0, 0, 0, first_chain(crypto, origin), {}, origin};
  if (const auto odd = input.number(1); odd < 8) header.first_index = odd;
  const auto octets = encode(header);
  Buffer file(octets.data(), octets.size());
  std::uint64_t index = header.first_index;
  Hash chain = header.chain;
  while (!input.is_empty()) {
    Buffer frames, crcs, last_leaf;
    const std::uint64_t count = 1 + input.number(1) % 4;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Buffer frame = made_frame(crypto, input, index + i);
      crcs += frame.substr(0, 4);
      frames += frame;
      last_leaf = frame.substr(kFrameHeaderSize, kLeafSize);
    }
    const std::uint64_t odd = input.number(1);
    const GroupHeader group{static_cast<std::uint32_t>(odd == 1 ? count + 1 : count),
                            static_cast<std::uint32_t>(odd == 2 ? frames.size() + 1 : frames.size()),
                            odd == 3 ? index + 1 : index,
                            index - std::min(index, input.number(1) % 4),
                            odd == 4 ? 0 : mask_crc(crc32c(crcs)),
                            odd == 5 ? Hash{} : chain};
    const auto group_octets = encode(group);
    file.append(group_octets.data(), group_octets.size()).append(frames);
    chain = next_chain(crypto, {group_octets.data(), group_octets.size()}, last_leaf);
    index += count;
    if (odd == 6) file += input.take(100);
  }
  return file;
}

void check(bool condition) {
  if (!condition) std::abort();
}

// How many records the reader gives, in order, before the end or the first error.
std::uint64_t read(MemoryDisk& disk) {
  auto reader = Reader::open(disk, kFolder, nullptr);
  if (!reader) return 0;
  reader->set_limit_none();
  std::uint64_t count = 0;
  while (true) {
    const auto record = reader->next();
    if (!record || !*record) return count;
    check((*record)->index == count++);
  }
}

void recover(MemoryDisk& disk, const std::string& origin, std::uint64_t readable) {
  Crypto crypto;
  const auto shape = read_shape(disk, kFolder, origin);
  if (!shape || shape->headers.empty()) return;
  auto tail = read_tail(crypto, disk, kFolder, *shape, {});
  if (!tail) return;
  check(tail->end.size == readable);
  check(tail->offset <= tail->size && tail->unsure_offset <= tail->offset);
  check(set_torn_aside(disk, kFolder, *tail).has_value());
  check(!confirm_tail(*tail));
  // What is left is whole, and recovering it again changes nothing.
  const auto again = read_tail(crypto, disk, kFolder, *shape, {});
  check(again && again->problem.empty() && again->end.size == readable && again->offset == again->size);
  check(first_leaf(crypto, disk, kFolder, *shape).has_value() || readable > 0);
}

}  // namespace

void fuzz(Bytes octets) {
  static const std::string origin = "hq/gw-1/00000001-9f3ac2d1";
  Crypto crypto;
  Input input(octets);
  const bool is_made = input.number(1) % 4 != 0;
  MemoryDisk disk;
  check(!make_directories(disk, kFolder, "segments"));
  disk.set_contents(kFolder + "/" + segment_file(0),
                    is_made ? made_segment(crypto, input, origin) : Buffer(input.rest()));
  recover(disk, origin, read(disk));
}

}  // namespace chancery::journal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chancery::journal::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
