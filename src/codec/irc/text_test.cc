#include "codec/irc/text.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/utf8.h"

namespace chancery::irc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string shown(Bytes octets) { return plain_text(octets, 0, TextPart::Role::body).text; }

// The wire after masking all occurrences of `word` in its text.
Buffer masked(Bytes wire, std::string_view word) {
  const TextPart part = plain_text(wire, 0, TextPart::Role::body);
  std::vector<Mask> masks;
  for (std::size_t at = part.text.find(word); at != std::string::npos; at = part.text.find(word, at + word.size()))
    masks.push_back({0, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + word.size())});
  return apply_edits(wire, mask_edits(part, 0, masks, wire));
}

TEST(PlainText, formatting_codes_are_left_out) {
  EXPECT_EQ(shown("\x02"
                  "bold\x02 \x1ditalic\x1d \x1funder\x1f \x1estrike\x1e \x11mono\x11 \x16rev\x16\x0f"),
            "bold italic under strike mono rev");
}

TEST(PlainText, a_colour_code_takes_its_digits_and_no_more) {
  EXPECT_EQ(shown("\x03"
                  "4red"),
            "red");
  EXPECT_EQ(shown("\x03"
                  "04,12x"),
            "x");
  EXPECT_EQ(shown("\x03"
                  "123"),
            "3");
  EXPECT_EQ(shown("\x03"
                  "4,x"),
            ",x");
  EXPECT_EQ(shown("\x03,4"), ",4");
  EXPECT_EQ(shown("a\x03"), "a");
  EXPECT_EQ(shown("\x04"
                  "ff00AA,00ff00x"),
            "x");
  EXPECT_EQ(shown("\x04"
                  "ff00x"),
            "ff00x");
}

TEST(PlainText, tabs_stay_and_other_controls_go) {
  EXPECT_EQ(shown("a\tb\x07"
                  "c\x7f"),
            "a\tbc");
}

TEST(PlainText, what_is_not_utf8_is_shown_as_replaced) {
  EXPECT_EQ(shown("gr\xfc"
                  "n"),
            "gr\xef\xbf\xbdn");
  EXPECT_TRUE(is_utf8(shown("\xff\xc3\x02\xbc\xe2\x82")));
}

TEST(PlainText, a_plain_text_is_one_segment) {
  const TextPart part = plain_text("grüezi", 10, TextPart::Role::reason);
  EXPECT_EQ(part.role, TextPart::Role::reason);
  EXPECT_THAT(part.segments, ElementsAre(Segment{0, 7, 10, 17}));
  EXPECT_THAT(plain_text("", 10, TextPart::Role::body).segments, IsEmpty());
}

TEST(PlainText, reading_much_that_is_not_utf8_takes_time_in_proportion) {
  const TextPart part = plain_text(Buffer(32'000, '\xff'), 0, TextPart::Role::body);
  EXPECT_EQ(part.segments.size(), 32'000U);
}

TEST(Mask, each_character_becomes_one_star) {
  EXPECT_EQ(masked("a secret plan", "secret"), "a ****** plan");
  EXPECT_EQ(masked("grüezi", "üe"), "gr**zi");
  EXPECT_EQ(masked("👍👍", "👍"), "**");
}

TEST(Mask, codes_inside_a_word_stay_and_all_its_pieces_go) {
  EXPECT_EQ(masked("se\x02"
                   "cret",
                   "secret"),
            "**\x02****");
  EXPECT_EQ(masked("\x03"
                   "04secret\x0f",
                   "secret"),
            "\x03"
            "04******\x0f");
}

TEST(Mask, octets_that_are_no_utf8_are_masked_whole) {
  EXPECT_EQ(masked("gr\xfc"
                   "n",
                   "gr\xef\xbf\xbdn"),
            "****");
}

TEST(Mask, no_octet_of_a_masked_word_is_left_whatever_the_mask) {
  const Bytes wire =
      "\x02gr\x02\xc3\xbc\xff\x03"
      "4,5ezi";
  const TextPart part = plain_text(wire, 0, TextPart::Role::body);
  for (std::uint32_t begin = 0; begin <= part.text.size(); ++begin) {
    for (std::uint32_t end = begin; end <= part.text.size() + 3; ++end) {
      const Mask mask{0, begin, end};
      const Buffer after = apply_edits(wire, mask_edits(part, 0, {&mask, 1}, wire));
      const std::string text = plain_text(after, 0, TextPart::Role::body).text;
      EXPECT_EQ(std::ranges::count(after, '\x02'), 2) << "codes stay";
      if (begin == 0 && end >= part.text.size()) {
        EXPECT_EQ(text.find_first_not_of('*'), std::string::npos) << text;
      }
    }
  }
}

TEST(Mask, masks_of_other_parts_do_nothing) {
  const TextPart part = plain_text("abc", 0, TextPart::Role::body);
  const Mask mask{1, 0, 3};
  EXPECT_THAT(mask_edits(part, 0, {&mask, 1}, "abc"), IsEmpty());
}

TEST(Edits, are_applied_in_order_of_place) {
  EXPECT_EQ(apply_edits("abcdef", {{4, 5, "X"}, {0, 1, "YY"}}), "YYbcdXf");
  EXPECT_EQ(apply_edits("abc", {}), "abc");
  EXPECT_EQ(apply_edits("abc", {{1, 1, "+"}, {1, 2, ""}}), "a+c");
  EXPECT_EQ(apply_edits("abc", {{3, 3, "!"}}), "abc!");
}

TEST(Edits, of_overlapping_ones_nothing_masked_comes_back) {
  EXPECT_EQ(apply_edits("abcdef", {{1, 4, "*"}, {2, 5, "#"}}), "a*f");
  EXPECT_EQ(apply_edits("abcdef", {{1, 4, "*"}, {1, 4, "*"}}), "a*ef");
}

}  // namespace
}  // namespace chancery::irc
