#include "journal/sheet.h"

#include <gtest/gtest.h>

#include "journal/journal.h"

namespace chancery::journal {
namespace {

constexpr std::string_view kOrigin = "hq/gw-1/00000001-9f3ac2d1";

struct Sealed {
  Crypto crypto;
  KeyStore::Key key{{1, 2, 3}, random_secret()};
  KeyNodes nodes = {{0, 0, random_secret()}};
  Sheet sheet{5, 900, {}};
  Sealed() { sheet.sections.push_back(seal_section(crypto, sheet, kOrigin, 0, 20260503, key, nodes)); }
};

TEST(Sheet, comes_back_as_it_went) {
  Sealed s;
  s.sheet.sections.push_back(seal_section(s.crypto, s.sheet, kOrigin, 9, 20260503, s.key, s.nodes));
  const auto decoded = decode_sheet(encode(s.sheet));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, s.sheet);
  EXPECT_EQ(open_section(s.crypto, *decoded, kOrigin, decoded->sections[1], s.key.secret), s.nodes);
}

TEST(Sheet, holds_the_nodes_of_a_punctured_tree) {
  Sealed s;
  const KeyNodes nodes = punctured(s.crypto, s.nodes, 3);
  s.sheet.sections = {seal_section(s.crypto, s.sheet, kOrigin, 0, 20260503, s.key, nodes)};
  const auto decoded = decode_sheet(encode(s.sheet));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(open_section(s.crypto, *decoded, kOrigin, decoded->sections[0], s.key.secret), nodes);
}

TEST(Sheet, every_changed_bit_and_every_cut_is_found) {
  Sealed s;
  const Buffer octets = encode(s.sheet);
  for (std::size_t bit = 0; bit < 8 * octets.size(); ++bit) {
    Buffer changed = octets;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(decode_sheet(changed)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < octets.size(); ++size) EXPECT_FALSE(decode_sheet(Bytes(octets).substr(0, size)));
}

// A sheet cannot be put in the place of another one: each is sealed for its segment, index, class, day, key and origin.
TEST(Sheet, a_section_opens_only_in_its_own_place) {
  Sealed s;
  const auto opens = [&](const Sheet& sheet, std::string_view origin, const Secret& key) {
    return open_section(s.crypto, sheet, origin, sheet.sections[0], key).has_value();
  };
  const auto changed = [&](auto change) {
    Sheet sheet = s.sheet;
    change(sheet);
    return sheet;
  };
  EXPECT_TRUE(opens(s.sheet, kOrigin, s.key.secret));
  EXPECT_FALSE(opens(s.sheet, "hq/gw-1/00000002-9f3ac2d1", s.key.secret));
  EXPECT_FALSE(opens(s.sheet, kOrigin, random_secret()));
  EXPECT_FALSE(opens(changed([](Sheet& x) { ++x.segment; }), kOrigin, s.key.secret));
  EXPECT_FALSE(opens(changed([](Sheet& x) { ++x.first_index; }), kOrigin, s.key.secret));
  EXPECT_FALSE(opens(changed([](Sheet& x) { ++x.sections[0].retention_class; }), kOrigin, s.key.secret));
  EXPECT_FALSE(opens(changed([](Sheet& x) { ++x.sections[0].day; }), kOrigin, s.key.secret));
  EXPECT_FALSE(opens(changed([](Sheet& x) { ++x.sections[0].key[0]; }), kOrigin, s.key.secret));
}

TEST(Sheet, a_class_without_a_section_of_its_own_falls_to_class_0) {
  Sheet sheet;
  sheet.sections = {{0, 1, {}, "a"}, {7, 1, {}, "b"}};
  EXPECT_EQ(section_of(sheet, 7)->sealed, "b");
  EXPECT_EQ(section_of(sheet, 0)->sealed, "a");
  EXPECT_EQ(section_of(sheet, 3)->sealed, "a");
  sheet.sections.erase(sheet.sections.begin());
  EXPECT_EQ(section_of(sheet, 3), nullptr);
}

TEST(Sheet, sections_out_of_order_too_many_or_none_are_corrupt) {
  Sealed s;
  const SealedSection section = s.sheet.sections[0];
  s.sheet.sections = {section, section};
  EXPECT_EQ(decode_sheet(encode(s.sheet)).error(), JournalError::corrupt);
  s.sheet.sections.clear();
  EXPECT_EQ(decode_sheet(encode(s.sheet)).error(), JournalError::corrupt);
  for (std::uint16_t i = 0; i <= kSheetSectionsMax; ++i) {
    s.sheet.sections.push_back(section);
    s.sheet.sections.back().retention_class = i;
  }
  EXPECT_EQ(decode_sheet(encode(s.sheet)).error(), JournalError::corrupt);
  s.sheet.sections.pop_back();
  EXPECT_TRUE(decode_sheet(encode(s.sheet)));
}

TEST(Sheet, days_are_written_as_people_read_them) {
  const auto day = std::chrono::sys_days(std::chrono::year(2026) / 11 / 3);
  EXPECT_EQ(day_number(day), 20261103U);
  EXPECT_EQ(day_from_number(20261103), day);
}

}  // namespace
}  // namespace chancery::journal
