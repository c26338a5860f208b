#pragma once
// Walks the groups of one segment file from its first to the first that is not whole.
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "journal/file.h"
#include "journal/format.h"

namespace chancery::journal {

// A file seen through a window that moves forward.
class Window {
 public:
  explicit Window(File& file) : file_(&file) {}
  // Up to `size` octets at `offset`, fewer only at the end of the file. Valid until the next call.
  std::expected<Bytes, std::error_code> view(std::uint64_t offset, std::size_t size);
  void forget() { octets_.clear(); }

 private:
  File* file_;
  std::uint64_t begin_ = 0;
  Buffer octets_;
};

struct Group {
  GroupHeader header;
  std::uint64_t offset = 0;  // of the group header in the file
  Bytes octets;              // header and frames; valid until the scanner moves
  std::vector<Frame> frames;
  std::uint64_t end_offset() const { return offset + octets.size(); }
  std::uint64_t end_index() const { return header.first_index + header.frames; }
};

class SegmentScanner {
 public:
  // `file` must outlive the scanner. The segment header is taken as checked.
  SegmentScanner(Crypto& crypto, File& file, const SegmentHeader& header);

  // The next group, fully checked: CRCs, sizes, indices, chain, body hashes. nullopt: there is no whole group at
  // `offset()`; `problem()` is empty at the end of the file and otherwise says what is wrong. Asking again looks again.
  std::expected<std::optional<Group>, std::error_code> next();
  // The header of the next group; stays before it. nullopt as above.
  std::expected<std::optional<GroupHeader>, std::error_code> peek();
  // Passes a group by its header alone; cheaper, and says nothing about its frames. nullopt as above.
  std::expected<std::optional<GroupHeader>, std::error_code> skip();

  std::uint64_t offset() const { return offset_; }  // of the next group
  std::uint64_t index() const { return index_; }    // of the next frame
  const Hash& chain() const { return chain_; }      // before the next group; not kept up by `skip`
  const std::string& problem() const { return problem_; }
  // Continue at a group whose offset and index are known.
  void move_to(std::uint64_t offset, std::uint64_t index);

 private:
  std::string check_frames(Group& group);

  Crypto* crypto_;
  Window window_;
  std::uint64_t offset_ = kSegmentHeaderSize;
  std::uint64_t index_;
  Hash chain_;
  bool knows_chain_ = true;
  std::string problem_;
};

// The largest `durable` of any whole group header at or after `offset`, whatever stands between: tells damage from a
// torn tail.
std::expected<std::uint64_t, std::error_code> durable_after(File& file, std::uint64_t offset);

}  // namespace chancery::journal
