#include <gtest/gtest.h>

#include "core/crc32c.h"
#include "core/encoding.h"
#include "core/id.h"
#include "core/time.h"
#include "core/utf8.h"

namespace chancery {
namespace {

TEST(Time, PrintsUtcWithMicroseconds) {
  EXPECT_EQ(to_rfc3339(from_unix_ns(0)), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(from_unix_ns(1'777'799'564'123'456'789)), "2026-05-03T09:12:44.123456Z");
  EXPECT_EQ(to_rfc3339(from_unix_ns(-1'000)), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, ParsesWhatItPrintsAndOffsets) {
  EXPECT_EQ(parse_rfc3339("2026-05-03T09:12:44.123456Z"), from_unix_ns(1'777'799'564'123'456'000));
  EXPECT_EQ(parse_rfc3339("2026-05-03T11:12:44+02:00"), from_unix_ns(1'777'799'564'000'000'000));
  EXPECT_EQ(parse_rfc3339("1970-01-02"), from_unix_ns(86'400'000'000'000));
}

TEST(Time, RefusesWhatIsNotATime) {
  for (const auto* bad :
       {"", "2026", "2026-13-01", "2026-02-30", "2026-05-03T", "2026-05-03T25:00:00Z", "2026-05-03T09:12:44",
        "2026-05-03T09:12:44.Z", "2026-05-03T09:12:44.1234567890Z", "2026-05-03x"})
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

TEST(Encoding, Base64OfRfc4648Section10) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(from_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(from_base64("Zm9vYmE="), "fooba");
}

TEST(Encoding, Base64HasOneSpelling) {
  for (const auto* bad : {"Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n"})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Encoding, HexBothWays) {
  EXPECT_EQ(to_hex(std::string_view{"\x00\xff\x10", 3}), "00ff10");
  EXPECT_EQ(from_hex("00fF10"), std::string("\x00\xff\x10", 3));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Crc32c, KnownAnswersOfRfc3720AppendixB4) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283U);
}

TEST(Utf8, AcceptsWellFormedOnly) {
  EXPECT_TRUE(is_utf8("grüß 日本 \xf0\x9f\x98\x80"));
  for (const auto* bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82", "\xff"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Utf8, LossyReplacesMaximalSubparts) {
  EXPECT_EQ(to_utf8_lossy("a\xe2\x82z"), "a\xef\xbf\xbdz");          // one part
  EXPECT_EQ(to_utf8_lossy("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");  // two parts
}

TEST(Id, KeepsItsOctets) {
  const auto id = SessionId::from_bytes("0123456789abcdef");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->bytes(), "0123456789abcdef");
  EXPECT_FALSE(SessionId::from_bytes("short"));
  EXPECT_TRUE(SessionId{}.is_nil());
}

}  // namespace
}  // namespace chancery
