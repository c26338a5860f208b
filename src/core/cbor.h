#pragma once
// Deterministic CBOR (RFC 8949 §4.2.1), the part of it that records use: integers, byte and text strings, arrays,
// maps, false, true and null. No floats, no tags, no indefinite lengths. The reader refuses what the writer could not
// have written.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include "core/bytes.h"

namespace chancery {

// RFC 8949 §3.1.
enum class CborType : std::uint8_t {
  unsigned_int = 0,
  negative_int = 1,
  bytes = 2,
  text = 3,
  array = 4,
  map = 5,
  simple = 7,  // false, true, null
};

// Octets that the head of any item takes at most.
inline constexpr std::size_t kCborHeadSizeMax = 9;

// Appends items to a buffer. That maps have their keys in order, and as many items as announced, is the caller's work.
class CborWriter {
 public:
  // Borrowed: what is in `out` while the writer is there is no one else's business; `likely_size`: of what will be
  // written, so that memory is got once.
  explicit CborWriter(Buffer& out, std::size_t likely_size = 0) : out_(out), at_(out.size()) { grow(likely_size); }
  CborWriter(const CborWriter&) = delete;
  CborWriter& operator=(const CborWriter&) = delete;
  ~CborWriter() { out_.resize(at_); }

  void unsigned_int(std::uint64_t value) { head(CborType::unsigned_int, value); }
  void signed_int(std::int64_t value);
  void bytes(Bytes octets) {
    head(CborType::bytes, octets.size());
    raw(octets);
  }
  // A text string where the octets are UTF-8, else a byte string: so any string of the wire can be kept as it came.
  void string(Bytes octets);
  void array(std::uint64_t items) { head(CborType::array, items); }
  void map(std::uint64_t pairs) { head(CborType::map, pairs); }
  void boolean(bool value) { octet(value ? '\xf5' : '\xf4'); }
  void null() { octet('\xf6'); }
  void raw(Bytes items) {
    if (items.empty()) return;
    std::memcpy(room(items.size()), items.data(), items.size());
    at_ += items.size();
  }

  // A map whose pairs are counted while they are written: what `begin_map` returned, and how many there were.
  std::size_t begin_map() {
    octet('\0');
    return at_ - 1;
  }
  void end_map(std::size_t begin, std::uint64_t pairs);

 private:
  static constexpr std::uint64_t kShortMax = 23;  // the head is one octet

  void head(CborType type, std::uint64_t argument) {
    if (argument <= kShortMax)
      octet(static_cast<char>(static_cast<unsigned>(type) << 5 | argument));
    else
      long_head(type, argument);
  }
  void long_head(CborType type, std::uint64_t argument);
  void octet(char value) {
    *room(1) = value;
    ++at_;
  }
  char* room(std::size_t size) {
    if (out_.size() - at_ < size) grow(size);
    return out_.data() + at_;
  }
  void grow(std::size_t size) {
    if (size > 0) out_.resize(std::max(at_ + size, 2 * at_));
  }

  Buffer& out_;     // longer than what is written, until the end
  std::size_t at_;  // up to here it is written
};

// Reads items one after the other. The first item that is not what was asked for, or not deterministic, makes the
// reader fail for good: every later call then returns zero or an empty view, so a caller may check `ok()` once.
class CborReader {
 public:
  static constexpr int kDepthMax = 16;

  explicit CborReader(Bytes in) : in_(in) {}

  bool ok() const { return ok_; }
  bool at_end() const { return at_ == in_.size(); }
  std::size_t position() const { return at_; }
  void fail() { ok_ = false; }

  std::uint64_t unsigned_int(std::uint64_t max = UINT64_MAX);
  std::int64_t signed_int();
  Bytes bytes();
  Bytes string();  // a text string that is UTF-8, or a byte string that is not
  bool boolean();
  bool null_if_next();    // consumes a null if one is next
  std::uint64_t array();  // items; never more than there are octets left
  std::uint64_t map();    // pairs; likewise
  Bytes skip();           // any one item, its octets; checked to be deterministic, nested at most kDepthMax deep
  std::optional<std::uint64_t> small_key();  // consumes a key that is an unsigned integer; else nullopt, nothing read

 private:
  struct Head {
    CborType type{};
    std::uint64_t argument = 0;
  };
  Head head();
  std::uint64_t expect(CborType type);
  Bytes take(std::uint64_t size);
  void skip_item(int depth);
  void skip_map(std::uint64_t pairs, int depth);

  Bytes in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace chancery
