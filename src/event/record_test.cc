#include "event/record.h"

#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

#include "core/encoding.h"
#include "event/testing/samples.h"

namespace chancery {
namespace {

using namespace testing;

// "<name>.hex": hexadecimal, line breaks and text after '#' ignored.
Buffer golden(const std::string& name) {
  std::ifstream in(std::string{CHANCERY_TESTDATA} + "/" + name + ".hex");
  std::string hex;
  for (std::string line; std::getline(in, line);)
    for (const char c : line.substr(0, line.find('#')))
      if (c != ' ') hex += c;
  return from_hex(hex).value_or("bad golden file");
}

struct Sample {
  const char* name;
  Record (*make)();
};
class GoldenRecord : public ::testing::TestWithParam<Sample> {};

TEST_P(GoldenRecord, EncodesToTheOctetsOfItsGoldenFile) {
  EXPECT_EQ(to_hex(encode(GetParam().make())), to_hex(golden(GetParam().name)));
}

TEST_P(GoldenRecord, DecodesFromTheOctetsOfItsGoldenFile) {
  const auto record = decode_record(golden(GetParam().name));
  ASSERT_TRUE(record) << record.error().message();
  EXPECT_EQ(*record, GetParam().make());
}

TEST_P(GoldenRecord, EveryTruncationIsRefused) {
  const Buffer octets = encode(GetParam().make());
  for (std::size_t size = 0; size < octets.size(); ++size)
    EXPECT_FALSE(decode_record(Bytes{octets}.substr(0, size))) << size;
  EXPECT_FALSE(decode_record(octets + '\0'));
}

// Not every changed bit can be noticed here (the Merkle log does that), but whatever still decodes is canonical.
TEST_P(GoldenRecord, WhateverABitFlipLeavesDecodableEncodesToTheSameOctets) {
  const Buffer octets = encode(GetParam().make());
  for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
    Buffer changed = octets;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    const auto record = decode_record(changed);
    if (record) {
      EXPECT_EQ(encode(*record), changed) << "bit " << bit;
      EXPECT_NE(*record, GetParam().make()) << "bit " << bit;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(V1, GoldenRecord,
                         ::testing::Values(Sample{"v1-chat", chat_message}, Sample{"v1-full", full_message},
                                           Sample{"v1-deliveries", two_deliveries}, Sample{"v1-end", session_end},
                                           Sample{"v1-seen", seen_message}),
                         [](const auto& each) { return std::string{each.param.name + 3}; });

TEST(Record, AnEmptyOneStillSaysItsVersionTimeAndKind) {
  EXPECT_EQ(to_hex(encode(Record{})), "a3000101000aa10001");
  EXPECT_EQ(decode_record(encode(Record{})), Record{});
}

TEST(Record, AFieldWrittenWithItsEmptyValueIsNotCanonical) {
  const auto read_from_client = decode_record(from_hex("a400010100"
                                                       "0400"
                                                       "0aa10001")
                                                  .value());
  ASSERT_FALSE(read_from_client);
  EXPECT_EQ(read_from_client.error(), RecordError::not_canonical);
  EXPECT_EQ(decode_record(from_hex("a400010100"
                                   "0260"
                                   "0aa10001")
                              .value())
                .error(),
            RecordError::not_canonical);
}

TEST(Record, FieldsOutOfOrderOrTwiceAreMalformed) {
  EXPECT_EQ(decode_record(from_hex("a3000101000aa10001").value()).has_value(), true);
  EXPECT_EQ(decode_record(from_hex("a3010000010aa10001").value()).error(), RecordError::malformed);
  EXPECT_EQ(decode_record(from_hex("a4000101000aa100010aa10001").value()).error(), RecordError::malformed);
}

TEST(Record, AnotherVersionIsSaidToBeOne) {
  EXPECT_EQ(decode_record(from_hex("a3000201000aa10001").value()).error(), RecordError::version);
}

TEST(Record, AKindOfALaterVersionIsKept) {
  const auto record = decode_record(from_hex("a3000101000aa10018c8").value());
  ASSERT_TRUE(record);
  EXPECT_EQ(static_cast<int>(record->event.kind), 200);
}

TEST(Record, ValuesOutsideTheirRangeAreMalformed) {
  for (const auto* hex : {"a3000101000aa10000",      // kind 0
                          "a3000101000aa200010104",  // scope 4
                          "a3000101000aa200010206",  // copy 6
                          "a400010100"
                          "0402"
                          "0aa10001",                // read_from 2
                          "a3000101000aa2000113a0",  // event field 19
                          "a400010100"
                          "054101"
                          "0aa10001",  // an id of one octet
                          "a4000101000aa100010da1"})
    EXPECT_EQ(decode_record(from_hex(hex).value()).error(), RecordError::malformed) << hex;
}

TEST(Record, FieldsOfALaterVersionAreKeptAndWrittenAgain) {
  const Buffer octets = from_hex(
                            "a4000101000aa10001"
                            "1261"
                            "78")
                            .value();  // {…, 18: "x"}
  const auto record = decode_record(octets);
  ASSERT_TRUE(record) << record.error().message();
  EXPECT_EQ(to_hex(record->unknown), "a1126178");
  EXPECT_EQ(encode(*record), octets);
}

TEST(Record, ManyFieldsOfALaterVersionNeedALongerHead) {
  Record record;
  record.unknown = Buffer{"\xb8\x1e", 2};
  for (int key = 30; key < 60; ++key) record.unknown += Buffer{"\x18", 1} + static_cast<char>(key) + '\xf5';
  const auto again = decode_record(encode(record));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, record);
}

TEST(Record, StringsThatAreNotUtf8AreKeptAsTheyCame) {
  Record record;
  record.event.from = "caf\xe9";
  record.event.texts = {{TextPart::Role::body, "", "\xff\xfe", {}}};
  EXPECT_EQ(decode_record(encode(record)), record);
}

// Random records, small and large, with every field now and then.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t number() { return engine_() >> (engine_() % 64); }
  bool often() { return engine_() % 2 == 0; }
  std::string string() {
    std::string text;
    for (std::uint64_t i = engine_() % (often() ? 4 : 70); i > 0; --i)
      text += often() ? static_cast<char>(engine_()) : static_cast<char>('a' + engine_() % 26);
    return often() ? std::string{} : text;
  }
  template <class Item, class Make>
  std::vector<Item> list(Make make) {
    std::vector<Item> items;
    if (often()) return items;
    for (std::uint64_t i = engine_() % 5; i > 0; --i) items.push_back(make());
    return items;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number()); }
  template <class Enum>
  Enum one_of(std::uint64_t first, std::uint64_t last) {
    return static_cast<Enum>(first + engine_() % (last - first + 1));
  }
  template <class AnyId>
  AnyId id() {
    return often() ? AnyId{} : id_of<AnyId>(static_cast<std::uint8_t>(engine_()));
  }
  Instant time() { return from_unix_ns(static_cast<std::int64_t>(number()) * (often() ? 1 : -1)); }

 private:
  std::mt19937_64 engine_;
};

Event random_event(Dice& dice) {
  Event event;
  event.kind = dice.one_of<Kind>(1, 16);
  event.scope = dice.one_of<Scope>(1, 3);
  event.copy = dice.one_of<Copy>(0, 5);
  event.accepted = dice.often();
  event.action = dice.often();
  for (auto* text : {&event.from, &event.from_device, &event.room, &event.id, &event.origin_id, &event.ref,
                     &event.thread, &event.seal, &event.detail})
    *text = dice.string();
  event.to = dice.list<std::string>([&] { return dice.string(); });
  event.present = dice.list<std::string>([&] { return dice.string(); });
  event.texts = dice.list<TextPart>([&] {
    return TextPart{dice.one_of<TextPart::Role>(1, 4), dice.string(), dice.string(),
                    dice.list<Segment>([&] { return Segment{dice.u32(), dice.u32(), dice.u32(), dice.u32()}; })};
  });
  event.files = dice.list<File>([&] {
    return File{dice.string(), dice.often() ? std::optional{dice.number()} : std::nullopt,
                dice.string(), dice.string(),
                dice.string(), dice.string()};
  });
  if (dice.often()) event.stated_time = dice.time();
  return event;
}

Decision random_decision(Dice& dice) {
  Decision decision;
  if (dice.often()) return decision;
  decision.verdict = dice.one_of<Verdict>(1, 5);
  decision.rule = dice.string();
  decision.rules = dice.list<std::string>([&] { return dice.string(); });
  decision.masks = dice.list<Mask>([&] { return Mask{dice.u32(), dice.u32(), dice.u32()}; });
  decision.notice = dice.string();
  decision.answers = dice.list<Answer>([&] { return Answer{dice.string(), dice.string()}; });
  decision.policy_revision = dice.string();
  return decision;
}

Record random_record(Dice& dice) {
  Record record;
  record.time = dice.time();
  record.protocol = dice.string();
  record.network = dice.string();
  record.read_from = dice.one_of<Side>(0, 1);
  record.connection = dice.id<ConnectionId>();
  record.session = dice.id<SessionId>();
  record.account = dice.string();
  record.conversation = dice.id<ConversationId>();
  record.conversation_sequence = dice.number();
  record.event = random_event(dice);
  record.decision = random_decision(dice);
  record.wire = dice.string();
  record.wire_in = dice.u32();
  record.secrets = dice.list<Secret>([&] { return Secret{dice.u32(), dice.u32(), dice.string()}; });
  record.deliveries = dice.list<Delivery>(
      [&] { return Delivery{dice.number(), dice.string(), dice.id<SessionId>(), dice.time(), dice.often()}; });
  if (dice.often()) record.counters = Counters{dice.number(), dice.number(), 3, 4, 5, 6, dice.number()};
  return record;
}

TEST(Record, AnyRecordIsGivenBackAsItWas) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  Dice dice{seed};
  for (int i = 0; i < 2000; ++i) {
    const Record record = random_record(dice);
    const auto again = decode_record(encode(record));
    ASSERT_TRUE(again) << i << ": " << again.error().message();
    ASSERT_EQ(*again, record) << i;
  }
}

}  // namespace
}  // namespace chancery
