#include "codec/wire/charset.h"

#include <gtest/gtest.h>

namespace chancery {
namespace {

TEST(Charset, windows_1252_is_printable_where_latin_1_is_not) {
  EXPECT_EQ(from_windows_1252("5 \x80 \x93ok\x94 na\xefve"), "5 € “ok” naïve");
  EXPECT_EQ(from_windows_1252("\x81"), "\xef\xbf\xbd");
  EXPECT_EQ(from_windows_1252(Bytes{"a\0b", 3}), (std::string{"a\0b", 3}));
}

TEST(Charset, windows_1250_is_polish) {
  EXPECT_EQ(from_windows_1250("za\xbf\xf3\xb3\xe6 g\xea\x9cl\xb9 ja\x9f\xf1"), "zażółć gęślą jaźń");
}

TEST(Charset, utf16_knows_both_orders_and_surrogates) {
  EXPECT_EQ(from_utf16_be(Bytes{"\0H\0i\xd8\x3d\xde\x00", 8}), "Hi😀");
  EXPECT_EQ(from_utf16_le(Bytes{"H\0i\0\x3d\xd8\x00\xde", 8}), "Hi😀");
  EXPECT_EQ(from_utf16_be(Bytes{"\xfe\xff\0H", 4}), "H") << "the byte order mark is no text";
}

TEST(Charset, ill_formed_utf16_is_shown_as_such) {
  EXPECT_EQ(from_utf16_be(Bytes{"\xd8\x3d\0H", 4}), "\xef\xbf\xbdH") << "a high surrogate alone";
  EXPECT_EQ(from_utf16_be(Bytes{"\xde\x00\0H", 4}), "\xef\xbf\xbdH") << "a low one alone";
  EXPECT_EQ(from_utf16_be(Bytes{"\0H\0", 3}), "H") << "an octet without its other half";
  EXPECT_EQ(from_utf16_be(Bytes{"\xd8\x3d", 2}), "\xef\xbf\xbd");
}

TEST(Charset, unstated_is_utf8_when_it_can_be) {
  EXPECT_EQ(from_unstated("ünï"), "ünï");
  EXPECT_EQ(from_unstated("\xfcn\xef"), "ünï");
}

}  // namespace
}  // namespace chancery
