#include "core/cbor.h"

#include <bit>

#include "core/utf8.h"

namespace chancery {
namespace {

constexpr std::uint64_t kFalse = 20, kTrue = 21, kNull = 22;  // RFC 8949 §3.3

}  // namespace

// RFC 8949 §4.2.1: the shortest form that holds the argument.
void CborWriter::long_head(CborType type, std::uint64_t argument) {
  const unsigned power = argument <= 0xff ? 0 : argument <= 0xffff ? 1 : argument <= 0xffffffff ? 2 : 3;
  const unsigned size = 1U << power;
  char* const to = room(kCborHeadSizeMax);
  to[0] = static_cast<char>(static_cast<unsigned>(type) << 5 | (24 + power));
  argument <<= 64 - 8 * size;
  if constexpr (std::endian::native == std::endian::little) argument = std::byteswap(argument);
  std::memcpy(to + 1, &argument, sizeof argument);  // only `size` octets of it count
  at_ += 1 + size;
}

void CborWriter::end_map(std::size_t begin, std::uint64_t pairs) {
  if (pairs <= kShortMax) {
    out_[begin] = static_cast<char>(static_cast<unsigned>(CborType::map) << 5 | pairs);
    return;
  }
  Buffer longer;
  CborWriter{longer}.map(pairs);
  const Buffer written = out_.substr(begin + 1, at_ - begin - 1);
  at_ = begin;
  raw(longer);
  raw(written);
}

void CborWriter::signed_int(std::int64_t value) {
  if (value >= 0)
    head(CborType::unsigned_int, static_cast<std::uint64_t>(value));
  else
    head(CborType::negative_int, static_cast<std::uint64_t>(-(value + 1)));
}

void CborWriter::string(Bytes octets) {
  head(is_utf8(octets) ? CborType::text : CborType::bytes, octets.size());
  raw(octets);
}

CborReader::Head CborReader::head() {
  if (!ok_ || at_ >= in_.size()) {
    ok_ = false;
    return {};
  }
  const auto first = static_cast<unsigned char>(in_[at_]);
  Head head{static_cast<CborType>(first >> 5), static_cast<std::uint64_t>(first & 31)};
  if (head.argument < 24) {
    ++at_;
    return head;
  }
  const unsigned power = static_cast<unsigned>(head.argument) - 24;
  const std::size_t size = std::size_t{1} << (power & 3);
  if (power > 3 || in_.size() - at_ - 1 < size) {  // 28-31: reserved or of indefinite length
    ok_ = false;
    return {};
  }
  head.argument = 0;
  for (std::size_t i = 1; i <= size; ++i) head.argument = head.argument << 8 | static_cast<unsigned char>(in_[at_ + i]);
  const std::uint64_t least = power == 0 ? 24 : std::uint64_t{1} << (8 * (size / 2));
  if (head.argument < least) {  // a shorter form exists
    ok_ = false;
    return {};
  }
  at_ += 1 + size;
  return head;
}

std::uint64_t CborReader::expect(CborType type) {
  const Head next = head();
  if (!ok_ || next.type != type) {
    ok_ = false;
    return 0;
  }
  return next.argument;
}

Bytes CborReader::take(std::uint64_t size) {
  if (!ok_ || size > in_.size() - at_) {
    ok_ = false;
    return {};
  }
  const Bytes octets = in_.substr(at_, size);
  at_ += size;
  return octets;
}

std::uint64_t CborReader::unsigned_int(std::uint64_t max) {
  const std::uint64_t value = expect(CborType::unsigned_int);
  if (value > max) ok_ = false;
  return ok_ ? value : 0;
}

std::int64_t CborReader::signed_int() {
  const Head next = head();
  const bool integer = next.type == CborType::unsigned_int || next.type == CborType::negative_int;
  if (!ok_ || !integer || next.argument > INT64_MAX) {
    ok_ = false;
    return 0;
  }
  const auto magnitude = static_cast<std::int64_t>(next.argument);
  return next.type == CborType::unsigned_int ? magnitude : -1 - magnitude;
}

Bytes CborReader::bytes() { return take(expect(CborType::bytes)); }

Bytes CborReader::string() {
  const Head next = head();
  if (!ok_ || (next.type != CborType::text && next.type != CborType::bytes)) {
    ok_ = false;
    return {};
  }
  const Bytes octets = take(next.argument);
  if (is_utf8(octets) != (next.type == CborType::text)) ok_ = false;
  return ok_ ? octets : Bytes{};
}

bool CborReader::boolean() {
  const std::uint64_t value = expect(CborType::simple);
  if (value != kFalse && value != kTrue) ok_ = false;
  return ok_ && value == kTrue;
}

bool CborReader::null_if_next() {
  if (!ok_ || at_ >= in_.size() || in_[at_] != '\xf6') return false;
  ++at_;
  return true;
}

std::uint64_t CborReader::array() {
  const std::uint64_t items = expect(CborType::array);
  if (items > in_.size() - at_) ok_ = false;
  return ok_ ? items : 0;
}

std::uint64_t CborReader::map() {
  const std::uint64_t pairs = expect(CborType::map);
  if (pairs > (in_.size() - at_) / 2) ok_ = false;
  return ok_ ? pairs : 0;
}

std::optional<std::uint64_t> CborReader::small_key() {
  if (!ok_ || at_ >= in_.size() || static_cast<unsigned char>(in_[at_]) >> 5 != 0) return std::nullopt;
  const std::uint64_t key = unsigned_int();
  if (!ok_) return std::nullopt;
  return key;
}

Bytes CborReader::skip() {
  const std::size_t begin = at_;
  skip_item(0);
  return ok_ ? in_.substr(begin, at_ - begin) : Bytes{};
}

void CborReader::skip_item(int depth) {
  const std::size_t begin = at_;
  const Head next = head();
  if (!ok_ || depth > kDepthMax) return fail();
  switch (next.type) {
    case CborType::unsigned_int:
    case CborType::negative_int:
      return;
    case CborType::bytes:
      take(next.argument);
      return;
    case CborType::text:
      if (!is_utf8(take(next.argument))) fail();
      return;
    case CborType::array:
      for (std::uint64_t i = 0; ok_ && i < next.argument; ++i) skip_item(depth + 1);
      return;
    case CborType::map:
      return skip_map(next.argument, depth);
    case CborType::simple:
      if (at_ != begin + 1 || next.argument < kFalse || next.argument > kNull) fail();
      return;
  }
  fail();  // tags
}

// RFC 8949 §4.2.1: keys in the bytewise order of their encodings, none twice.
void CborReader::skip_map(std::uint64_t pairs, int depth) {
  Bytes previous;
  for (std::uint64_t i = 0; ok_ && i < pairs; ++i) {
    const std::size_t begin = at_;
    skip_item(depth + 1);
    const Bytes key = in_.substr(begin, at_ - begin);
    if (i > 0 && key <= previous) return fail();
    previous = key;
    skip_item(depth + 1);
  }
}

}  // namespace chancery
