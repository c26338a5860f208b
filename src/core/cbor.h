#pragma once
// Deterministic CBOR (RFC 8949 §4.2.1), the part of it that records use: integers, byte and text strings, arrays,
// maps, false, true and null. No floats, no tags, no indefinite lengths. The reader refuses what the writer could not
// have written.
#include <cstdint>
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
  explicit CborWriter(Buffer& out) : out_(out) {}  // borrowed

  void unsigned_int(std::uint64_t value) { head(CborType::unsigned_int, value); }
  void signed_int(std::int64_t value);
  void bytes(Bytes octets) {
    head(CborType::bytes, octets.size());
    out_.append(octets);
  }
  // A text string where the octets are UTF-8, else a byte string: so any string of the wire can be kept as it came.
  void string(Bytes octets);
  void array(std::uint64_t items) { head(CborType::array, items); }
  void map(std::uint64_t pairs) { head(CborType::map, pairs); }
  void boolean(bool value) { out_.push_back(value ? '\xf5' : '\xf4'); }
  void null() { out_.push_back('\xf6'); }
  void raw(Bytes items) { out_.append(items); }

  Buffer& out() { return out_; }

 private:
  void head(CborType type, std::uint64_t argument) {
    if (argument < 24)
      out_.push_back(static_cast<char>(static_cast<unsigned>(type) << 5 | argument));
    else
      long_head(type, argument);
  }
  void long_head(CborType type, std::uint64_t argument);

  Buffer& out_;
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
