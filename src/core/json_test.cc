#include "core/json.h"

#include <gtest/gtest.h>

namespace chancery {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, PlainTextIsUnchanged) { EXPECT_EQ(quoted("grüße 你好"), "\"grüße 你好\""); }

TEST(JsonString, QuotesBackslashesAndControlsAreEscaped) {
  EXPECT_EQ(quoted("a\"b\\c\nd\re\tf\x01g\x7fh"), R"("a\"b\\c\nd\re\tf\u0001g\u007fh")");
  EXPECT_EQ(quoted(std::string_view{"\0", 1}), R"("\u0000")");
}

TEST(JsonString, IllFormedUtf8BecomesTheReplacementCharacter) { EXPECT_EQ(quoted("a\xffz"), "\"a\xEF\xBF\xBDz\""); }

TEST(JsonWriter, ObjectsAndArraysNestWithCommasBetween) {
  std::string out;
  JsonWriter json{out};
  json.begin_object().member("a", 1).key("b").begin_array().value("x").value(true).null().end_array();
  json.key("c").begin_object().end_object().member("d", -2).end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",true,null],"c":{},"d":-2})");
}

TEST(JsonWriter, WholeRangeOfIntegersIsExact) {
  std::string out;
  JsonWriter json{out};
  json.begin_array().value(UINT64_MAX).value(INT64_MIN).end_array();
  EXPECT_EQ(out, "[18446744073709551615,-9223372036854775808]");
}

}  // namespace
}  // namespace chancery
