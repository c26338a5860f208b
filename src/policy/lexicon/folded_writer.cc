#include "policy/lexicon/folded_writer.h"

#include <stdexcept>
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "policy/lexicon/confusables.h"
#include "policy/lexicon/fold_ascii.h"
#include "policy/lexicon/walk.h"

namespace chancery::policy {
namespace {

constexpr std::size_t kSlack = 16;  // octets that a step may write beyond the text

bool is_ascii_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::size_t octets_of(char32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

void write_wide(char* to, char32_t c, std::size_t size) {
  for (std::size_t i = size; --i > 0; c >>= 6) to[i] = static_cast<char>(0x80 | (c & 0x3f));
  to[0] = static_cast<char>((0xf00U >> size & 0xff) | c);
}

struct Decoded {
  char32_t c = 0;
  std::uint32_t size = 0;  // 0: not a well-formed character of two or three octets
};

// `p` has three octets.
Decoded decode_short(const char* p) {
  const auto octet = [p](int i) { return static_cast<char32_t>(static_cast<unsigned char>(p[i])); };
  const auto is_next = [&](int i) { return (octet(i) & 0xc0) == 0x80; };
  if (octet(0) >= 0xc2 && octet(0) < 0xe0 && is_next(1)) return {(octet(0) & 0x1f) << 6 | (octet(1) & 0x3f), 2};
  if ((octet(0) & 0xf0) != 0xe0 || !is_next(1) || !is_next(2)) return {};
  const char32_t c = (octet(0) & 0x0f) << 12 | (octet(1) & 0x3f) << 6 | (octet(2) & 0x3f);
  return c < 0x800 || (c >= 0xd800 && c < 0xe000) ? Decoded{} : Decoded{c, 3};
}

}  // namespace

FoldedWriter::FoldedWriter(std::size_t size, Folded& out) : out_(out) {
  out_.spans_.clear();
  make_room(size);
}

void FoldedWriter::make_room(std::size_t octets) {
  if (out_.octets_.size() < size_ + octets + kSlack) out_.octets_.resize(size_ + 2 * octets + kSlack);
}

void FoldedWriter::finish() { out_.size_ = size_; }

void FoldedWriter::in_step(std::uint32_t begin) {
  const auto at = static_cast<std::uint32_t>(size_);
  if (!out_.spans_.empty()) {
    const auto& span = out_.spans_.back();
    if (span.in_step && span.begin + (at - span.folded) == begin) return;
  }
  out_.spans_.push_back({at, begin, 0, true});
}

void FoldedWriter::together(std::uint32_t begin, std::uint32_t end) {
  out_.spans_.push_back({static_cast<std::uint32_t>(size_), begin, end, false});
}

// The last character covers everything up to `end`.
void FoldedWriter::absorb(std::uint32_t end) {
  if (size_ == 0) return;
  auto at = static_cast<std::uint32_t>(size_ - 1);
  while ((static_cast<unsigned char>(out_.octets_[at]) & 0xc0) == 0x80) --at;
  auto& span = out_.spans_.back();
  const auto begin = span.in_step ? span.begin + (at - span.folded) : span.begin;
  if (span.folded == at)
    span = {at, begin, end, false};
  else
    out_.spans_.push_back({at, begin, end, false});
}

void FoldedWriter::ascii(std::string_view text, std::uint32_t begin) {
  make_room(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto written = lower_plain(text.substr(i), last(), out_.octets_.data() + size_);
    if (written > 0) {
      if (wide_word_ && is_ascii_word(out_.octets_[size_])) saw_mixed_ = true;
      in_step(begin + static_cast<std::uint32_t>(i));
      size_ += written;
      wide_word_ = false;
      i += written;
    }
    if (i < text.size()) ascii_octet(text[i], begin + static_cast<std::uint32_t>(i)), ++i;
  }
}

std::uint32_t FoldedWriter::in_alphabet(std::string_view text, std::uint32_t begin, const CharacterTable& table) {
  make_room(text.size() - begin);
  char* const out = out_.octets_.data();
  char before = last();
  std::size_t to = size_;
  std::uint32_t at = begin, size_before = 0;  // octets of the character before
  while (text.size() - at >= 4) {
    const char* const from = text.data() + at;
    std::uint32_t size = 1;
    if (static_cast<unsigned char>(*from) < 0x80) {
      // One ASCII character between others; more are faster eight at a time.
      const bool is_plain = *from >= ' ' && *from != '\x7f' && !(*from == ' ' && before == ' ');
      if (!is_plain || static_cast<unsigned char>(from[1]) < 0x80) break;
      before = out[to] = static_cast<char>(to_plain(static_cast<unsigned char>(*from)));
      saw_mixed_ = saw_mixed_ || (wide_word_ && is_ascii_word(before));
      wide_word_ = false;
    } else {
      const Decoded decoded = decode_short(from);
      if (decoded.size == 0) break;
      const CharacterFact fact = table[decoded.c];
      if (!fact.begins_piece && size_before > 0) break;
      size = decoded.size;
      if (fact.alone != Alone::becomes || octets_of(fact.to) != size) break;
      write_wide(out + to, fact.to, size);
      saw_lookalike_ = saw_lookalike_ || fact.looks_latin;
      saw_mixed_ = saw_mixed_ || (fact.is_word && is_ascii_word(before));
      wide_word_ = fact.is_word;
      before = '\x7f';
    }
    to += size;
    at += size;
    size_before = size;
  }
  // Whether the last one stands alone is for the character after it to say; else it is taken back.
  std::uint32_t next = at;
  if (at > begin && at < text.size() && !table[next_character(text, next)].begins_piece) {
    at -= size_before;
    to -= size_before;
    wide_word_ = true;  // perhaps; it costs a look at most
  }
  if (at == begin) return begin;
  in_step(begin);
  size_ = to;
  return at;
}

// One that lower_plain stopped at: a control, or a blank that is not the only one.
void FoldedWriter::ascii_octet(char c, std::uint32_t at) {
  if (is_blank(static_cast<unsigned char>(c))) blank(at, at + 1);
}

void FoldedWriter::blank(std::uint32_t begin, std::uint32_t end) {
  if (last() == ' ') return absorb(end);
  put(U' ', begin, end);
}

void FoldedWriter::becomes(CharacterFact fact, std::uint32_t begin, std::uint32_t end) {
  const bool beside_ascii = is_ascii_word(last());
  put(fact.to, begin, end);
  if (fact.to < 0x80) return;
  saw_lookalike_ = saw_lookalike_ || fact.looks_latin;
  saw_mixed_ = saw_mixed_ || (fact.is_word && beside_ascii);
  wide_word_ = fact.is_word;
}

void FoldedWriter::put(char32_t c, std::uint32_t begin, std::uint32_t end) {
  make_room(kSlack);
  const auto size = octets_of(c);
  if (size == end - begin)
    in_step(begin);
  else
    together(begin, end);
  char* to = out_.octets_.data() + size_;
  if (size == 1) {
    *to = static_cast<char>(c);
    if (wide_word_ && is_ascii_word(*to)) saw_mixed_ = true;
    wide_word_ = false;
  } else {
    write_wide(to, c, size);
  }
  size_ += size;
}

void FoldedWriter::ask_icu(std::string_view text, std::uint32_t begin, std::uint32_t end) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* rules = icu::Normalizer2::getNFKCCasefoldInstance(status);
  const icu::StringPiece piece(text.data() + begin, static_cast<std::int32_t>(end - begin));
  icu::UnicodeString folded;
  if (U_SUCCESS(status)) folded = rules->normalize(icu::UnicodeString::fromUTF8(piece), status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalize");  // out of memory
  for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1))
    add(static_cast<char32_t>(folded.char32At(i)), begin, end);
}

// One of the characters that octets [begin, end) fold to.
void FoldedWriter::add(char32_t c, std::uint32_t begin, std::uint32_t end) {
  c = to_plain(c);
  if (is_blank(c)) return blank(begin, end);
  if (is_dropped_control(c)) return;
  if (is_absorbed(c, last() == 'i')) return absorb(end);
  CharacterFact fact{};
  fact.to = c & 0x1fffff;
  fact.is_word = is_word_character(c);
  fact.looks_latin = c >= 0x80 && lookalike(c) != 0;
  becomes(fact, begin, end);
}

}  // namespace chancery::policy
