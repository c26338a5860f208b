#include "codec/irc/line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/codec.h"
#include "codec/irc/framing.h"

namespace chancery::irc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> params(const Line& line) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < line.param_count(); ++i) all.emplace_back(line.param(i));
  return all;
}

TEST(Line, a_command_alone) {
  const Line line{"PING\r\n"};
  EXPECT_EQ(line.command(), "PING");
  EXPECT_THAT(params(line), IsEmpty());
  EXPECT_EQ(line.body_end(), 4U);
}

TEST(Line, the_trailing_parameter_keeps_spaces_and_colons) {
  EXPECT_THAT(params(Line{"foo bar baz :asdf quux\n"}), ElementsAre("bar", "baz", "asdf quux"));
  EXPECT_THAT(params(Line{"foo bar baz ::asdf\n"}), ElementsAre("bar", "baz", ":asdf"));
  EXPECT_THAT(params(Line{"foo bar baz :  asdf quux \n"}), ElementsAre("bar", "baz", "  asdf quux "));
  EXPECT_THAT(params(Line{"foo bar:baz\n"}), ElementsAre("bar:baz"));
  EXPECT_THAT(params(Line{"foo :\n"}), ElementsAre(""));
}

TEST(Line, spaces_between_parts_may_be_many) {
  const Line line{"  @a=b   :coolguy   foo   bar   :  x \r\r\n"};
  EXPECT_EQ(line.tags(), "a=b");
  EXPECT_EQ(line.source(), "coolguy");
  EXPECT_EQ(line.command(), "foo");
  EXPECT_THAT(params(line), ElementsAre("bar", "  x "));
}

TEST(Line, spaces_at_the_end_make_no_parameter) { EXPECT_THAT(params(Line{"foo bar  \n"}), ElementsAre("bar")); }

TEST(Line, the_fifteenth_parameter_takes_the_rest) {
  const Line line{"foo 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 :17\n"};
  ASSERT_EQ(line.param_count(), kParamsMax);
  EXPECT_EQ(line.param(14), "15 16 :17");
}

TEST(Line, without_a_command_there_is_none) {
  for (const Bytes wire : {Bytes{""}, Bytes{"\r\n"}, Bytes{"@tags\n"}, Bytes{":source \n"}, Bytes{"@a :b\n"}}) {
    const Line line{wire};
    EXPECT_EQ(line.command(), "") << wire;
    EXPECT_EQ(line.param_count(), 0U) << wire;
  }
}

TEST(Line, a_missing_parameter_is_empty) {
  const Line line{"JOIN #a\n"};
  EXPECT_EQ(line.param(1), "");
  EXPECT_TRUE(line.param_span(9).empty());
}

TEST(Line, commands_compare_in_any_case) { EXPECT_EQ(Line{"pRivMsg x y\n"}.upper_command(), "PRIVMSG"); }

TEST(Line, a_source_is_cut_at_user_or_host) {
  EXPECT_EQ(nick_of("coolguy!~ag@n\x02et\x03"
                    "05w\x0fork.admin"),
            "coolguy");
  EXPECT_EQ(nick_of("nick@host"), "nick");
  EXPECT_EQ(nick_of("irc.example.com"), "irc.example.com");
}

std::optional<std::string> value(const Line& line, std::string_view key) { return tag_value(line, tags_of(line), key); }

TEST(Tags, values_are_unescaped) {
  const Line line{"@a=b\\\\and\\nk;c=72\\s45;d=gh\\:764;e;f=;g=x\\;h=y\\b\\ü foo\n"};
  EXPECT_EQ(value(line, "a"), "b\\and\nk");
  EXPECT_EQ(value(line, "c"), "72 45");
  EXPECT_EQ(value(line, "d"), "gh;764");
  EXPECT_EQ(value(line, "e"), "");
  EXPECT_EQ(value(line, "f"), "");
  EXPECT_EQ(value(line, "g"), "x");    // a backslash at the end is nothing
  EXPECT_EQ(value(line, "h"), "ybü");  // one before any other octet is dropped
  EXPECT_EQ(value(line, "absent"), std::nullopt);
}

TEST(Tags, of_a_key_given_twice_the_last_counts) { EXPECT_EQ(value(Line{"@a=1;b=2;a=3 foo\n"}, "a"), "3"); }

TEST(Tags, keys_keep_vendor_and_plus) {
  const Line line{"@+example.com/key=v;;=x foo\n"};
  ASSERT_EQ(tags_of(line).size(), 1U);
  EXPECT_EQ(tags_of(line)[0].key, "+example.com/key");
}

TEST(Tags, segments_say_where_each_run_stands) {
  const Line line{"@a=b\\sc foo\n"};
  const TextPart part = unescape_tag(line, tags_of(line)[0].value);
  EXPECT_EQ(part.text, "b c");
  EXPECT_THAT(part.segments, ElementsAre(Segment{0, 1, 3, 4}, Segment{1, 2, 4, 6}, Segment{2, 3, 6, 7}));
}

TEST(Lists, empty_entries_are_left_out) {
  const Line line{"PRIVMSG ,a,,b, :x\n"};
  std::vector<std::string> names;
  for (const Span each : split_list(line, line.param_span(0))) names.emplace_back(line.text(each));
  EXPECT_THAT(names, ElementsAre("a", "b"));
}

// Feeds `octets` whole; what came out, and the error.
std::pair<std::vector<Buffer>, std::error_code> read_all(LineReader& reader, Bytes octets) {
  std::vector<Buffer> lines;
  Buffer line;
  while (reader.next(octets, line)) lines.push_back(line);
  return {lines, reader.error()};
}

TEST(Framing, a_line_of_exactly_the_limit_passes_and_one_more_does_not) {
  LineReader fits{8};
  EXPECT_THAT(read_all(fits, "1234567\n").first, ElementsAre("1234567\n"));
  LineReader over{8};
  EXPECT_EQ(read_all(over, "12345678\n").second, make_error_code(CodecError::too_large));
}

TEST(Framing, a_line_without_end_is_an_error_at_the_same_octet_however_it_comes) {
  LineReader reader{8};
  EXPECT_FALSE(read_all(reader, "1234567").second);
  EXPECT_EQ(read_all(reader, "8").second, make_error_code(CodecError::too_large));
  EXPECT_EQ(reader.memory(), Buffer{}.capacity()) << "what it held is given back";
}

TEST(Framing, no_limit_is_above_the_protocols_own) {
  LineReader reader{0xffffffffU};
  EXPECT_EQ(read_all(reader, Buffer(kLineSizeMax, 'x')).second, make_error_code(CodecError::too_large));
}

TEST(Framing, a_carriage_return_belongs_to_the_line_end_only) {
  LineReader good{100};
  EXPECT_THAT(read_all(good, "a\r\nb\r\r\n\r\n").first, ElementsAre("a\r\n", "b\r\r\n", "\r\n"));
  for (const Bytes bad : {Bytes{"a\rb\n"}, Bytes{"\ra\n"}, Bytes{"a\rb\r\n"}, Bytes{"a\0b\n", 4}}) {
    LineReader reader{100};
    EXPECT_EQ(read_all(reader, bad).second, make_error_code(CodecError::malformed));
  }
}

TEST(Framing, after_lost_octets_the_rest_of_the_line_is_marked) {
  LineReader reader{100};
  EXPECT_THAT(read_all(reader, "begin").first, IsEmpty());
  reader.lose();
  EXPECT_FALSE(reader.in_line());
  EXPECT_THAT(read_all(reader, "\rend\n").first, ElementsAre("\rend\n"));
  EXPECT_TRUE(reader.was_cut());
  EXPECT_THAT(read_all(reader, "whole\n").first, ElementsAre("whole\n"));
  EXPECT_FALSE(reader.was_cut());
}

}  // namespace
}  // namespace chancery::irc
