#include "journal/golden.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "core/encoding.h"
#include "journal/format.h"
#include "journal/key_tree.h"
#include "journal/sheet.h"

namespace chancery::journal {
namespace {

using testing::ElementsAre;

Buffer golden(const std::string& name) {
  std::ifstream file(std::string(CHANCERY_TESTDATA) + "/golden/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream octets;
  octets << file.rdbuf();
  return octets.str();
}

// The golden archive and key store on a disk, with this key sheet.
class Golden : public testing::Test {
 protected:
  void lay_out(const std::string& sheet) {
    ASSERT_FALSE(make_directories(disk_, folder_, "segments"));
    disk_.set_contents(folder_ + "/segments/00000000.seg", golden("00000000.seg"));
    disk_.set_contents(folder_ + "/segments/00000000.sheet", golden(sheet));
    ASSERT_FALSE(make_directories(disk_, kKeys, "day"));
    ASSERT_FALSE(make_directories(disk_, kKeys, "log"));
    disk_.set_contents(kKeys + "/master-00000001.key", golden("master-00000001.key"));
    disk_.set_contents(kKeys + "/day/20260503-00000.key", golden("20260503-00000.key"));
  }
  MemoryDisk disk_;
  const std::string folder_ = log_folder(kArchive, std::string(kGoldenOrigin));
};

TEST_F(Golden, a_segment_is_written_byte_for_byte_as_ever) {
  const Buffer sheet = golden("00000000.sheet");
  const auto decoded = decode_sheet(sheet);
  ASSERT_TRUE(decoded);
  write_golden(disk_, sheet, decoded->sections[0].key);
  EXPECT_EQ(to_hex(disk_.contents(folder_ + "/segments/00000000.seg")), to_hex(golden("00000000.seg")));
}

TEST_F(Golden, an_old_archive_is_read_with_its_old_key_store) {
  lay_out("00000000.sheet");
  auto keys = KeyStore::open(disk_, kKeys);
  ASSERT_TRUE(keys) << keys.error().message();
  const auto records = read_all(disk_, folder_, &*keys);
  EXPECT_THAT(payloads(records), ElementsAre("epoch", "", "hello", "", "the second group"));
  for (const ReadRecord& record : records)
    EXPECT_EQ(record.body, record.index == 1 ? ReadRecord::Body::empty : ReadRecord::Body::clear);
}

TEST_F(Golden, an_erased_record_is_gone_and_all_others_are_as_before) {
  lay_out("00000000.sheet-without-2");
  auto keys = KeyStore::open(disk_, kKeys);
  ASSERT_TRUE(keys);
  const auto records = read_all(disk_, folder_, &*keys);
  EXPECT_THAT(payloads(records), ElementsAre("epoch", "", "", "", "the second group"));
  EXPECT_EQ(records[2].body, ReadRecord::Body::erased);
  EXPECT_EQ(records[3].body, ReadRecord::Body::clear);
}

TEST_F(Golden, without_a_key_store_every_leaf_is_there_and_no_body) {
  lay_out("00000000.sheet");
  const auto records = read_all(disk_, folder_, nullptr);
  ASSERT_EQ(records.size(), 5U);
  for (const ReadRecord& record : records) {
    EXPECT_EQ(record.body, record.index == 1 ? ReadRecord::Body::empty : ReadRecord::Body::sealed);
    EXPECT_EQ(record.payload, "");
  }
}

// docs/formats/journal.md, "Worked example"; the values there were computed by another implementation.
TEST_F(Golden, the_worked_example_holds) {
  Crypto crypto;
  KeyTree tree(golden_seed());
  RecordKeys keys;
  ASSERT_TRUE(tree.keys_of(crypto, 2, keys));
  EXPECT_EQ(to_hex(keys.salt.bytes()), "4dc3346abee549aa8bd2548b05e3c0054712070040ec2b397b6e5f543ba4dff9");
  EXPECT_EQ(to_hex(keys.key.bytes()), "88061bfc94bf39169447b91d777697114a7470d87f02255ed08e4891b825a0fc");
  const Buffer segment = golden("00000000.seg");
  ASSERT_EQ(segment.size(), 1062U);
  const auto frame = decode_frame(crypto, Bytes(segment).substr(645));
  ASSERT_TRUE(frame);
  EXPECT_EQ(to_hex(frame->body), "527afae8a6e918fc2354831a930cc340b09144bb35");
  EXPECT_EQ(to_hex(frame->leaf),
            "0101000018ac0348c6107800111111111111111111111111111111110000000000000000"
            "261b7d81bf5f3b3182e501cbeff63a2999bd654236f6d8409f8e8ac7c6b1a7da"
            "79a6940253b53221cc3061e997800ee530d58b653fab4fd7ad2951ea7d3833b9");
}

// Whoever changes one bit of a log at rest is found without any key.
TEST_F(Golden, every_changed_bit_of_a_segment_is_found_without_keys) {
  lay_out("00000000.sheet");
  const std::string path = folder_ + "/segments/00000000.seg";
  const Buffer whole = disk_.contents(path);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Buffer changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    disk_.set_contents(path, changed);
    auto reader = Reader::open(disk_, folder_, nullptr);
    if (!reader) continue;
    reader->set_limit(5);
    std::size_t count = 0;
    while (true) {
      const auto record = reader->next();
      if (!record) break;
      ASSERT_TRUE(*record) << "bit " << bit << ": ended without an error";
      ASSERT_LT(++count, 5U) << "bit " << bit << " was not found";
    }
    EXPECT_NE(reader->where(), "") << "bit " << bit;
  }
}

TEST_F(Golden, every_cut_of_a_segment_is_found_without_keys) {
  lay_out("00000000.sheet");
  const std::string path = folder_ + "/segments/00000000.seg";
  const Buffer whole = disk_.contents(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    disk_.set_contents(path, Bytes(whole).substr(0, size));
    auto reader = Reader::open(disk_, folder_, nullptr);
    if (!reader) continue;
    reader->set_limit(5);
    EXPECT_FALSE(reader->at(4)) << size;
  }
}

}  // namespace
}  // namespace chancery::journal
