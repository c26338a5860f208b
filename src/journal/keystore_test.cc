#include "journal/keystore.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/encoding.h"
#include "journal/key_files.h"
#include "journal/memory_disk.h"

namespace chancery::journal {
namespace {

const std::string kFolder = "/keys";
constexpr std::chrono::sys_days kDay = std::chrono::year(2026) / 5 / 3;

KeyStore opened(Disk& disk) {
  auto store = KeyStore::open(disk, kFolder);
  EXPECT_TRUE(store) << store.error().message();
  return *std::move(store);
}

std::vector<KeyInfo> masters(const KeyStore& store) {
  auto infos = store.show();
  EXPECT_TRUE(infos);
  std::erase_if(*infos, [](const KeyInfo& info) { return info.kind != KeyInfo::Kind::master; });
  return *infos;
}

class KeyStoreTest : public testing::Test {
 protected:
  KeyStoreTest() { EXPECT_FALSE(KeyStore::create(disk_, kFolder)); }
  MemoryDisk disk_;
};

TEST_F(KeyStoreTest, is_created_once) {
  EXPECT_EQ(KeyStore::create(disk_, kFolder), KeyStoreError::exists);
  EXPECT_EQ(masters(opened(disk_)).size(), 1U);
}

TEST_F(KeyStoreTest, is_missing_where_none_was_created) {
  EXPECT_EQ(KeyStore::open(disk_, "/elsewhere").error(), KeyStoreError::missing);
}

TEST_F(KeyStoreTest, gives_the_same_day_key_each_time_and_another_for_each_class_and_day) {
  KeyStore store = opened(disk_);
  const auto key = store.day_key(0, kDay);
  ASSERT_TRUE(key);
  KeyStore again = opened(disk_);
  EXPECT_EQ(again.day_key(0, kDay)->secret, key->secret);
  EXPECT_EQ(again.day_key_of(0, 20260503, key->id), key->secret);
  EXPECT_NE(again.day_key(1, kDay)->secret, key->secret);
  EXPECT_NE(again.day_key(0, kDay + std::chrono::days(1))->secret, key->secret);
  EXPECT_EQ(again.day_key_of(0, 20260503, KeyId{}).error(), KeyStoreError::missing);
  EXPECT_FALSE(again.day_key_of(5, 20260503, key->id));
}

TEST_F(KeyStoreTest, gives_each_log_its_own_key) {
  KeyStore store = opened(disk_);
  const auto key = store.log_key("hq/gw-1/00000001-9f3ac2d1");
  ASSERT_TRUE(key);
  EXPECT_EQ(opened(disk_).log_key("hq/gw-1/00000001-9f3ac2d1")->secret, key->secret);
  EXPECT_NE(store.log_key("hq/gw-1/00000002-9f3ac2d1")->secret, key->secret);
}

TEST_F(KeyStoreTest, shows_ids_and_no_secret) {
  KeyStore store = opened(disk_);
  const auto day = store.day_key(3, kDay);
  const auto log = store.log_key("hq/gw-1/00000001-9f3ac2d1");
  const auto infos = store.show();
  ASSERT_TRUE(infos);
  ASSERT_EQ(infos->size(), 3U);
  EXPECT_TRUE((*infos)[0].current);
  EXPECT_EQ((*infos)[1].id, day->id);
  EXPECT_EQ((*infos)[1].day, 20260503U);
  EXPECT_EQ((*infos)[1].retention_class, 3);
  EXPECT_EQ((*infos)[1].master, (*infos)[0].id);
  EXPECT_EQ((*infos)[2].origin, "hq/gw-1/00000001-9f3ac2d1");
  for (const std::string& path : disk_.files(kFolder)) {
    EXPECT_EQ(disk_.contents(path).find(to_hex(day->secret.bytes())), std::string::npos) << path;
    EXPECT_EQ(disk_.contents(path).find(to_hex(log->secret.bytes())), std::string::npos) << path;
  }
}

TEST_F(KeyStoreTest, rotation_wraps_every_key_again_and_changes_none) {
  KeyStore store = opened(disk_);
  KeyStore writer = opened(disk_);  // one that was opened before the rotation, such as a running gateway's
  const auto day = store.day_key(0, kDay);
  const KeyId old = masters(store)[0].id;
  EXPECT_EQ(store.retire(old), KeyStoreError::in_use);
  const auto rotated = store.rotate();
  ASSERT_TRUE(rotated) << rotated.error().message();
  EXPECT_NE(*rotated, old);
  EXPECT_EQ(opened(disk_).day_key(0, kDay)->secret, day->secret);
  EXPECT_EQ(writer.day_key(0, kDay)->secret, day->secret);
  EXPECT_FALSE(store.retire(old));
  EXPECT_EQ(masters(opened(disk_)).size(), 1U);
  EXPECT_EQ(opened(disk_).day_key(0, kDay)->secret, day->secret);
  EXPECT_EQ(store.retire(*rotated), KeyStoreError::in_use);
  EXPECT_EQ(store.retire(old), KeyStoreError::missing);
}

TEST_F(KeyStoreTest, a_master_key_is_not_retired_while_something_is_wrapped_under_it) {
  KeyStore writer = opened(disk_);
  KeyStore store = opened(disk_);
  const KeyId old = masters(store)[0].id;
  ASSERT_TRUE(store.rotate());
  ASSERT_TRUE(writer.day_key(0, kDay));  // still under the old one
  EXPECT_EQ(store.retire(old), KeyStoreError::in_use);
  ASSERT_TRUE(store.rotate());
  EXPECT_FALSE(store.retire(old));
  EXPECT_TRUE(opened(disk_).day_key(0, kDay));
}

TEST_F(KeyStoreTest, no_key_is_lost_whichever_operation_of_a_rotation_fails) {
  KeyStore store = opened(disk_);
  const Secret day = store.day_key(0, kDay)->secret, log = store.log_key("a/b/c")->secret;
  bool was_reached = true;
  for (std::uint64_t cut = 0; was_reached; ++cut) {
    SCOPED_TRACE("cut after " + std::to_string(cut) + " operations");
    for (const bool survives : {false, true}) {
      const auto disk = disk_.after_kill();
      disk->cut_power_after(cut);
      auto rotating = KeyStore::open(*disk, kFolder);
      was_reached = !rotating || !rotating->rotate();
      const auto left = disk->after_power_loss([&] { return survives; });
      KeyStore after = opened(*left);
      EXPECT_EQ(after.day_key(0, kDay)->secret, day);
      EXPECT_EQ(after.log_key("a/b/c")->secret, log);
      ASSERT_TRUE(after.rotate());
      EXPECT_EQ(after.day_key(0, kDay)->secret, day);
    }
    ASSERT_LT(cut, 100U);
  }
}

TEST_F(KeyStoreTest, damaged_files_are_refused_whatever_bit_changed) {
  KeyStore store = opened(disk_);
  const auto key = store.day_key(0, kDay);
  const std::string path = kFolder + "/day/20260503-00000.key";
  const Buffer octets = disk_.contents(path);
  ASSERT_FALSE(octets.empty());
  for (std::size_t bit = 0; bit < 8 * octets.size(); ++bit) {
    Buffer changed = octets;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    disk_.set_contents(path, changed);
    EXPECT_FALSE(store.day_key(0, kDay)) << "bit " << bit;
  }
  disk_.set_contents(path, octets);
  EXPECT_TRUE(store.day_key(0, kDay));
  disk_.set_contents(kFolder + "/master-00000001.key", "chancery-master-key v1 00\n");
  EXPECT_EQ(KeyStore::open(disk_, kFolder).error(), KeyStoreError::malformed);
}

TEST_F(KeyStoreTest, a_key_wrapped_under_another_stores_master_does_not_open) {
  ASSERT_TRUE(opened(disk_).day_key(0, kDay));
  MemoryDisk other;
  ASSERT_FALSE(KeyStore::create(other, kFolder));
  const std::string path = kFolder + "/day/20260503-00000.key";
  other.set_contents(path, disk_.contents(path));
  EXPECT_EQ(opened(other).day_key(0, kDay).error(), KeyStoreError::missing);
}

TEST_F(KeyStoreTest, a_credential_from_outside_is_the_master_key_and_is_not_rotated_here) {
  const Secret outside = random_secret();
  MemoryDisk disk;
  ASSERT_FALSE(disk.make_directory("/run"));
  disk.set_contents("/run/chancery-master-key", master_text(outside));
  auto store = KeyStore::open(disk, kFolder, "/run/chancery-master-key");
  ASSERT_TRUE(store) << store.error().message();
  const auto key = store->day_key(0, kDay);
  ASSERT_TRUE(key);
  EXPECT_EQ(store->rotate().error(), KeyStoreError::read_only);
  EXPECT_EQ(store->retire(masters(*store)[0].id), KeyStoreError::read_only);
  auto again = KeyStore::open(disk, kFolder, "/run/chancery-master-key");
  EXPECT_EQ(again->day_key(0, kDay)->secret, key->secret);
  EXPECT_EQ(KeyStore::open(disk, kFolder).error(), KeyStoreError::missing);
}

TEST(KeyStorePosix, files_are_0600_and_others_are_refused) {
  std::string folder = testing::TempDir() + "keysXXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string keys = folder + "/keys";
  ASSERT_FALSE(KeyStore::create(posix_disk(), keys));
  {
    auto store = KeyStore::open(posix_disk(), keys);
    ASSERT_TRUE(store) << store.error().message();
    ASSERT_TRUE(store->day_key(0, kDay));
  }
  struct stat status{};
  for (const char* name : {"/master-00000001.key", "/day/20260503-00000.key"}) {
    ASSERT_EQ(::stat((keys + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
  }
  ASSERT_EQ(::chmod((keys + "/master-00000001.key").c_str(), 0640), 0);
  EXPECT_EQ(KeyStore::open(posix_disk(), keys).error(), KeyStoreError::not_private);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace chancery::journal
