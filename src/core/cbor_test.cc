#include "core/cbor.h"

#include <gtest/gtest.h>

#include "core/encoding.h"

namespace chancery {
namespace {

template <class Write>
std::string hex_of(Write write) {
  Buffer out;
  {
    CborWriter writer{out};
    write(writer);
  }
  return to_hex(out);
}

Buffer octets(std::string_view hex) { return from_hex(hex).value(); }

// RFC 8949, appendix A.
TEST(CborWriter, IntegersAreWrittenAsInTheExamplesOfTheStandard) {
  const auto number = [](std::uint64_t value) { return hex_of([&](CborWriter& w) { w.unsigned_int(value); }); };
  EXPECT_EQ(number(0), "00");
  EXPECT_EQ(number(23), "17");
  EXPECT_EQ(number(24), "1818");
  EXPECT_EQ(number(100), "1864");
  EXPECT_EQ(number(1000), "1903e8");
  EXPECT_EQ(number(1000000), "1a000f4240");
  EXPECT_EQ(number(1000000000000), "1b000000e8d4a51000");
  EXPECT_EQ(number(UINT64_MAX), "1bffffffffffffffff");
  const auto negative = [](std::int64_t value) { return hex_of([&](CborWriter& w) { w.signed_int(value); }); };
  EXPECT_EQ(negative(-1), "20");
  EXPECT_EQ(negative(-100), "3863");
  EXPECT_EQ(negative(-1000), "3903e7");
  EXPECT_EQ(negative(INT64_MIN), "3b7fffffffffffffff");
}

TEST(CborWriter, StringsArraysMapsAndSimpleValuesAreWrittenAsInTheExamples) {
  EXPECT_EQ(hex_of([](CborWriter& w) { w.bytes("\x01\x02\x03\x04"); }), "4401020304");
  EXPECT_EQ(hex_of([](CborWriter& w) { w.string("IETF"); }), "6449455446");
  EXPECT_EQ(hex_of([](CborWriter& w) { w.string("水"); }), "63e6b0b4");
  EXPECT_EQ(hex_of([](CborWriter& w) { w.array(3); }), "83");
  EXPECT_EQ(hex_of([](CborWriter& w) { w.map(25); }), "b819");
  EXPECT_EQ(hex_of([](CborWriter& w) {
              w.boolean(false);
              w.boolean(true);
              w.null();
            }),
            "f4f5f6");
}

TEST(CborWriter, AStringThatIsNotUtf8IsAByteString) {
  EXPECT_EQ(hex_of([](CborWriter& w) { w.string("caf\xe9"); }), "44636166e9");
}

TEST(CborWriter, AMapIsCountedWhileItIsWrittenHoweverManyPairsThereAre) {
  for (const std::uint64_t pairs : {0U, 1U, 23U, 24U, 300U}) {
    const auto write_pairs = [pairs](CborWriter& w) {
      for (std::uint64_t i = 0; i < pairs; ++i) w.unsigned_int(i), w.boolean(true);
    };
    EXPECT_EQ(hex_of([&](CborWriter& w) {
                const auto begin = w.begin_map();
                write_pairs(w);
                w.end_map(begin, pairs);
                w.null();
              }),
              hex_of([&](CborWriter& w) {
                w.map(pairs);
                write_pairs(w);
                w.null();
              }));
  }
}

TEST(CborWriter, WhatWasInTheBufferStaysAndNothingIsBehindTheEnd) {
  Buffer out{"before"};
  {
    CborWriter{out, 1'000}.unsigned_int(1);
  }
  EXPECT_EQ(out, "before\x01");
  {
    CborWriter{out, 1'000}.bytes({});
  }
  EXPECT_EQ(out, "before\x01\x40");
}

TEST(CborReader, GivesBackEveryLengthOfInteger) {
  for (int bits = 0; bits < 64; ++bits) {
    for (const std::uint64_t value : {std::uint64_t{1} << bits, (std::uint64_t{1} << bits) - 1}) {
      Buffer out;
      CborWriter{out}.unsigned_int(value);
      CborReader reader{out};
      EXPECT_EQ(reader.unsigned_int(), value);
      EXPECT_TRUE(reader.ok() && reader.at_end());
    }
  }
  for (const std::int64_t value : {INT64_MIN, std::int64_t{-257}, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    Buffer out;
    CborWriter{out}.signed_int(value);
    CborReader reader{out};
    EXPECT_EQ(reader.signed_int(), value);
    EXPECT_TRUE(reader.ok());
  }
}

TEST(CborReader, LongerFormsThanNeededAreRefused) {
  for (const auto* hex : {"1817", "190018", "1900ff", "1a0000ffff", "1b00000000ffffffff", "5803010203", "9800"}) {
    const Buffer in = octets(hex);
    CborReader reader{in};
    reader.skip();
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

TEST(CborReader, IndefiniteLengthsTagsFloatsAndOtherSimpleValuesAreRefused) {
  for (const auto* hex : {"5f42010243030405ff", "9fff", "bfff", "c074323031", "f90000", "fa47c35000", "f7", "f0",
                          "f818", "1c", "1f", "ff"}) {
    const Buffer in = octets(hex);
    CborReader reader{in};
    reader.skip();
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

TEST(CborReader, MapsWithUnsortedOrDoubleKeysAreRefused) {
  for (const auto* hex : {"a202000100", "a201000100", "a2616200616100", "a2187800197800f4"}) {
    const Buffer in = octets(hex);
    CborReader reader{in};
    reader.skip();
    EXPECT_EQ(reader.ok(), std::string_view{hex} == "a2187800197800f4") << hex;
  }
}

TEST(CborReader, EveryTruncationIsRefused) {
  const Buffer in = octets("a3018202030261610344deadbeef");
  CborReader whole{in};
  EXPECT_EQ(whole.skip(), in);
  for (std::size_t size = 0; size < in.size(); ++size) {
    CborReader reader{Bytes{in}.substr(0, size)};
    reader.skip();
    EXPECT_FALSE(reader.ok()) << size;
  }
}

TEST(CborReader, CountsThatCannotBeTrueAreRefusedBeforeAnythingIsReserved) {
  const Buffer array = octets("9b00000000ffffffff");
  CborReader first{array};
  EXPECT_EQ(first.array(), 0U);
  EXPECT_FALSE(first.ok());
  const Buffer map = octets("bb7fffffffffffffff");
  CborReader second{map};
  EXPECT_EQ(second.map(), 0U);
  EXPECT_FALSE(second.ok());
}

TEST(CborReader, NestingIsBounded) {
  const Buffer allowed = Buffer(CborReader::kDepthMax, '\x81') + '\0';
  CborReader reader{allowed};
  reader.skip();
  EXPECT_TRUE(reader.ok());
  const Buffer bomb = Buffer(100000, '\x81') + '\0';
  CborReader refused{bomb};
  refused.skip();
  EXPECT_FALSE(refused.ok());
}

TEST(CborReader, AByteStringThatIsUtf8IsNotAString) {
  const Buffer in = octets("4161");
  CborReader as_string{in};
  as_string.string();
  EXPECT_FALSE(as_string.ok());
  CborReader as_bytes{in};
  EXPECT_EQ(as_bytes.bytes(), "a");
  EXPECT_TRUE(as_bytes.ok());
}

TEST(CborReader, FailsForGoodAtTheFirstWrongItem) {
  const Buffer in = octets("0102");
  CborReader reader{in};
  EXPECT_EQ(reader.bytes(), "");
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.unsigned_int(), 0U);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace chancery
