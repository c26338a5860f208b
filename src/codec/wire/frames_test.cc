#include "codec/wire/frames.h"

#include <gtest/gtest.h>

namespace chancery {
namespace {

// "#" and a digit: so many octets follow.
Measured measure(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  if (octets[0] != '#') return Measured::wrong();
  if (octets.size() < 2) return Measured::more(2);
  if (octets[1] < '0' || octets[1] > '9') return Measured::wrong();
  return Measured::frame(2 + static_cast<std::size_t>(octets[1] - '0'));
}
Likeness begins(Side from, Bytes octets) {
  const Measured measured = measure(from, octets, 0);
  if (measured.what == Measured::What::more) return Likeness::need_more;
  return measured.what == Measured::What::frame ? Likeness::yes : Likeness::no;
}
constexpr Framing kFraming{measure, begins};

std::string played(FrameReader& reader, Bytes octets, std::size_t piece) {
  std::string seen;
  Buffer out;
  while (!octets.empty()) {
    Bytes in = octets.substr(0, piece);
    octets.remove_prefix(in.size());
    for (FrameReader::Got got = reader.next(in, out); got != FrameReader::Got::nothing; got = reader.next({}, out))
      seen += (got == FrameReader::Got::frame ? "[" : "(") + out + (got == FrameReader::Got::frame ? "]" : ")");
  }
  return seen + (reader.error() ? "!" : "");
}

FrameReader fresh(bool resynchronise, std::uint32_t size_max = 100) {
  return {kFraming, Side::client, size_max, resynchronise, false};
}

TEST(Frames, come_whole_however_they_were_cut) {
  for (const std::size_t piece : {1U, 2U, 3U, 100U}) {
    FrameReader reader = fresh(false);
    EXPECT_EQ(played(reader, "#3abc#0#1x", piece), "[#3abc][#0][#1x]");
    EXPECT_FALSE(reader.in_frame());
  }
}

TEST(Frames, what_is_none_is_an_error_that_stays) {
  for (const std::size_t piece : {1U, 100U}) {
    FrameReader reader = fresh(false);
    EXPECT_EQ(played(reader, "#1xabc#1y", piece), "[#1x]!");
    EXPECT_EQ(played(reader, "#1y", piece), "!");
  }
}

// "abcd" and a digit; what begins otherwise is seen to be wrong before it is long enough to be measured.
Measured measure_word(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  constexpr Bytes kWord{"abcd"};
  if (!kWord.starts_with(octets.substr(0, kWord.size()))) return Measured::wrong();
  return octets.size() < 5 ? Measured::more(5) : Measured::frame(5);
}

TEST(Frames, what_is_none_is_an_error_at_the_same_octet_however_it_was_cut) {
  for (const std::size_t piece : {1U, 2U, 100U}) {
    FrameReader reader{{measure_word, begins}, Side::client, 100, false, false};
    EXPECT_EQ(played(reader, "abx", piece), "!") << piece;
  }
}

TEST(Frames, a_watcher_skips_to_the_next) {
  for (const std::size_t piece : {1U, 2U, 100U}) {
    FrameReader reader = fresh(true);
    EXPECT_EQ(played(reader, "#1x##bc#1y", piece), "[#1x](##bc)[#1y]");
  }
}

TEST(Frames, but_a_stream_that_never_had_one_is_another_protocol) {
  FrameReader reader = fresh(true);
  EXPECT_EQ(played(reader, "abc#1y", 100), "!");
}

TEST(Frames, a_gap_forgets_what_was_under_way) {
  FrameReader reader = fresh(true);
  EXPECT_EQ(played(reader, "#5ab", 100), "");
  EXPECT_TRUE(reader.in_frame());
  reader.lose();
  EXPECT_EQ(played(reader, "de#1y", 1), "(de)[#1y]");
}

TEST(Frames, skipped_octets_leave_in_the_same_pieces) {
  const Buffer junk(10'000, 'x');
  std::string first;
  for (const std::size_t piece : {1U, 7U, 4096U, 20'000U}) {
    FrameReader reader{kFraming, Side::client, 100, true, true};
    const std::string seen = played(reader, junk + "#1y" + junk.substr(0, 50) + "#1z", piece);
    EXPECT_TRUE(seen.ends_with("[#1y](" + junk.substr(0, 50) + ")[#1z]"));
    if (first.empty()) first = seen;
    EXPECT_EQ(seen, first);
    EXPECT_LT(reader.memory(), 30'000U);
  }
}

TEST(Frames, larger_than_the_limit_is_an_error_before_it_is_held) {
  for (const std::size_t piece : {1U, 100U}) {
    FrameReader reader = fresh(true, 4);
    EXPECT_EQ(played(reader, "#2ab#3abc#0", piece), "[#2ab]!");
    EXPECT_EQ(reader.error(), make_error_code(CodecError::too_large));
  }
}

}  // namespace
}  // namespace chancery
