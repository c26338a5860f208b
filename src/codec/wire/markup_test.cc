#include "codec/wire/markup.h"

#include <array>
#include <gtest/gtest.h>
#include <string_view>

namespace chancery {
namespace {

TEST(Html, tags_go_and_text_stays) {
  EXPECT_EQ(
      html_to_text("<HTML><BODY BGCOLOR=\"#ffffff\"><FONT LANG=\"0\">hi &lt;you&gt; &amp; me</FONT></BODY></HTML>"),
      "hi <you> & me");
  EXPECT_EQ(html_to_text("a<br>b<BR/>c"), "a\nb\nc");
  EXPECT_EQ(html_to_text("<p>one</p><p>two</p>"), "one\ntwo");
  EXPECT_EQ(html_to_text("<title>x</title><style>p{}</style>y<!-- no -->z"), "yz");
  EXPECT_EQ(html_to_text("<a href=\"http://x.test/?a>b\">link</a>"), "link");
}

TEST(Html, character_references) {
  EXPECT_EQ(html_to_text("&#228;&#xE4;&euro;&nbsp;&apos;&quot;"), "ää€ '\"");
  EXPECT_EQ(html_to_text("AT&T &unknown; & &; &#; &#x; &#0; &#99999999999;"),
            "AT&T &unknown; & &; &#; &#x; &#0; &#99999999999;");
  EXPECT_EQ(html_to_text("&#xd800;"), "\xef\xbf\xbd");
}

TEST(Html, what_is_no_tag_of_html_is_text) {
  EXPECT_EQ(html_to_text("1 < 2, i <3 you, the <old> map, <"), "1 < 2, i <3 you, the <old> map, <");
  EXPECT_EQ(html_to_text("<b"), "<b");
  EXPECT_EQ(html_to_text("<b \"x>y"), "y") << "a quote that nobody closes";
}

TEST(Html, what_is_never_closed_takes_no_time_by_the_square) {
  std::string titles, comments;
  for (int i = 0; i < 10'000; ++i) titles += "<title>", comments += "<!--";
  EXPECT_EQ(html_to_text(titles + "x"), "x");
  EXPECT_EQ(html_to_text(comments + "x"), comments + "x");
}

TEST(Html, is_recognised) {
  EXPECT_TRUE(has_html("<HTML>x"));
  EXPECT_TRUE(has_html("x &amp; y"));
  EXPECT_TRUE(has_html("a <unknown> <i>x</i>"));
  EXPECT_FALSE(has_html("1 < 2 & 3 > 2, <old>"));
  EXPECT_FALSE(has_html(""));
}

TEST(Tags, only_the_named_ones_go) {
  static constexpr auto kNames = std::to_array<std::string_view>({"font", "b", "snd=", "#"});
  EXPECT_EQ(without_tags("<font face=\"Arial\">the <old> <b>map</B></font><snd=door><#ff0000>!", kNames),
            "the <old> map!");
  EXPECT_EQ(without_tags("a &amp; b <", kNames), "a &amp; b <");
}

}  // namespace
}  // namespace chancery
