// What `verify` says of whole archives: the honest one, and each way of being dishonest with one.
#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/verify/archive_check.h"
#include "archive/verify/history.h"
#include "archive/verify/testing/archive_builder.h"

namespace chancery::verify {
namespace {

using testing::LogBuilder;
using Files = std::map<std::string, Buffer>;

constexpr std::string_view kOrigin = "demo/gateway-1/00000001-9f3ac2d1";
const std::string kLog = "logs/" + std::string{kOrigin} + "/";

class Verify : public ::testing::Test {
 protected:
  static LogBuilder log(std::size_t records = 30) {
    LogBuilder builder{{}};
    builder.records(records);
    builder.publish();
    return builder;
  }
  Anchors key(char seed = 'k') const {
    Anchors anchors;
    anchors.keys = {merkle::PrivateKey::from_seed(Buffer(32, seed))->public_key()};
    return anchors;
  }
  Anchors since(const Files& files) const {
    Anchors anchors;
    anchors.since = {*parse_held(files.at(kLog + "checkpoint"))};
    return anchors;
  }
  Anchors witness() const {
    Anchors anchors;
    anchors.witnesses = {testing::kWitnessKey.verifier()};
    return anchors;
  }
  static Report verify(const Files& files, const Anchors& anchors) {
    MemorySource source{files};
    return verify_archive(source, anchors);
  }
  static void expect(const Report& report, Kind kind, std::optional<std::uint64_t> index) {
    EXPECT_EQ(report.exit_code(), 1);
    const auto matches = [&](const Finding& finding) { return finding.kind == kind && finding.index == index; };
    EXPECT_TRUE(std::ranges::any_of(report.findings, matches)) << report.text();
  }
};

TEST_F(Verify, HoldsAnHonestArchiveAgainstEachKindOfAnchor) {
  const Files files = log().files();
  for (const Anchors& anchors : {key(), since(files), witness()}) {
    const Report report = verify(files, anchors);
    EXPECT_EQ(report.exit_code(), 0) << report.text();
    ASSERT_EQ(report.logs.size(), 1U);
    EXPECT_EQ(report.logs[0].published, 32U);
    EXPECT_EQ(report.logs[0].records, 32U);
  }
}

TEST_F(Verify, CannotTellWithoutAnAnchor) {
  const Report report = verify(log().files(), {});
  EXPECT_EQ(report.exit_code(), 2);
  EXPECT_FALSE(report.is_anchored());
  EXPECT_THAT(report.json(), ::testing::HasSubstr("\"anchored\":false"));
  EXPECT_THAT(report.verdict(), ::testing::StartsWith("CANNOT TELL"));
}

TEST_F(Verify, CannotTellOfNothing) {
  EXPECT_EQ(verify({}, key()).exit_code(), 2);
  EXPECT_EQ(verify({{"archive.json", Buffer{testing::kArchiveJson}}}, key()).exit_code(), 2);
}

TEST_F(Verify, ReportsTheUnpublishedTail) {
  LogBuilder builder = log();
  builder.records(5);
  builder.end_group();
  const Report report = verify(builder.files(), key());
  EXPECT_EQ(report.exit_code(), 0) << report.text();
  EXPECT_EQ(report.logs[0].published, 32U);
  EXPECT_EQ(report.logs[0].records, 37U);
  EXPECT_THAT(report.text(), ::testing::HasSubstr("published up to record 31 at 2026-11-23T"));
  EXPECT_THAT(report.text(), ::testing::HasSubstr("5 records after it"));
}

TEST_F(Verify, ReportsADamagedTailAsSuchAndNotAsTampering) {
  LogBuilder builder = log();
  builder.records(5);
  builder.end_group();
  Files files = builder.files();
  files[kLog + "segments/00000000.seg"].back() ^= 1;
  const Report report = verify(files, key());
  EXPECT_EQ(report.exit_code(), 0) << report.text();
  EXPECT_THAT(report.logs[0].tail_damage, ::testing::HasSubstr("record 36"));
}

TEST_F(Verify, NamesTheRecordWhoseOctetsChanged) {
  Files files = log().files();
  Buffer& segment = files[kLog + "segments/00000000.seg"];
  segment[segment.size() - 10] ^= 0x20;
  expect(verify(files, key()), Kind::altered, 31);
}

TEST_F(Verify, NamesTheFirstOfTheRecordsThatWereCutOff) {
  Files files = log().files();
  Buffer& segment = files[kLog + "segments/00000000.seg"];
  segment.resize(segment.size() - 10);
  expect(verify(files, key()), Kind::altered, 31);
}

TEST_F(Verify, NamesTheFirstRecordOfAMissingSegment) {
  LogBuilder builder = log();
  builder.begin_segment();
  builder.records(5);
  builder.begin_segment();
  builder.records(5);
  builder.publish();
  Files files = builder.files();
  Files last = files, middle = files;
  last.erase(kLog + "segments/00000002.seg");
  middle.erase(kLog + "segments/00000001.seg");
  expect(verify(last, key()), Kind::removed, 38);
  expect(verify(middle, key()), Kind::removed, 32);
}

// Whoever can recompute every checksum still cannot meet the signed root: the record is named by the tiles.
TEST_F(Verify, NamesARecordThatWasRewrittenWithAllItsChecksums) {
  LogBuilder forged{{.seed = 99}};
  forged.records(30);
  forged.publish();
  Files files = log().files();
  files[kLog + "segments/00000000.seg"] = forged.files().at(kLog + "segments/00000000.seg");
  files[kLog + "segments/00000000.sheet"] = forged.files().at(kLog + "segments/00000000.sheet");
  expect(verify(files, key()), Kind::altered, 0);
}

TEST_F(Verify, FindsAHistoryThatWasRewrittenAndSignedWithAnotherKey) {
  const Files honest = log().files();
  LogBuilder forged{{.seed = 99, .key = 'x', .is_witnessed = false}};
  forged.records(30);
  forged.publish();
  expect(verify(forged.files(), key()), Kind::resigned, 31);
  expect(verify(forged.files(), since(honest)), Kind::resigned, 31);
  expect(verify(forged.files(), witness()), Kind::resigned, 31);
  EXPECT_EQ(verify(forged.files(), {}).exit_code(), 2);
}

// An administrator who has the signer's key too: only what lies outside shows it.
TEST_F(Verify, FindsAHistoryThatWasRewrittenAndSignedWithTheSameKey) {
  const Files honest = log().files();
  LogBuilder forged{{.seed = 99, .is_witnessed = false}};
  forged.records(30);
  forged.publish();
  EXPECT_EQ(verify(forged.files(), key()).exit_code(), 0);
  expect(verify(forged.files(), since(honest)), Kind::resigned, 31);
  expect(verify(forged.files(), witness()), Kind::resigned, 31);
}

TEST_F(Verify, FindsAnArchiveThatWasRolledBack) {
  LogBuilder builder = log();
  const Files before = builder.files();
  builder.records(10);
  builder.publish();
  expect(verify(before, since(builder.files())), Kind::rolled_back, 32);
  EXPECT_EQ(verify(before, key()).exit_code(), 0);
}

TEST_F(Verify, HoldsALaterArchiveAgainstAnEarlierCheckpoint) {
  LogBuilder builder = log();
  const Anchors anchors = since(builder.files());
  builder.records(10);
  builder.publish();
  const Report report = verify(builder.files(), anchors);
  EXPECT_EQ(report.exit_code(), 0) << report.text();
  EXPECT_EQ(report.logs[0].anchored, 42U);
}

TEST_F(Verify, SaysHowFarAnUnrelatedlySignedRestIsAnchored) {
  LogBuilder builder = log();
  Anchors anchors = since(builder.files());
  anchors.since[0].note.signatures.clear();  // held as numbers only: it vouches for no key
  builder.records(10);
  builder.publish();
  const Report report = verify(builder.files(), anchors);
  EXPECT_EQ(report.exit_code(), 2);
  EXPECT_EQ(report.logs[0].anchored, 32U);
}

TEST_F(Verify, FindsAMissingLog) {
  const Anchors anchors = since(log().files());
  LogBuilder other{{.origin = "demo/gateway-2/00000001-00000000"}};
  other.records(3);
  other.publish();
  expect(verify(other.files(), anchors), Kind::removed, 0);
}

TEST_F(Verify, FindsAMissingEpoch) {
  Files files = testing::whole_archive();
  std::erase_if(files, [](const auto& file) { return file.first.starts_with(kLog); });
  expect(verify(files, key()), Kind::removed, std::nullopt);
}

TEST_F(Verify, FindsForeignFiles) {
  for (const std::string path :
       {"x", "logs/x", "logs/demo/gateway-1/x", "logs/demo/gateway-1/00000001-9f3ac2d1/x",
        "logs/demo/gateway-1/00000001-9f3ac2d1/segments/x",
        "logs/demo/gateway-1/00000001-9f3ac2d1/segments/00000000.bak", "logs/demo/gateway-1/00000001-9f3ac2d1/tile/0/0",
        "logs/demo/gateway-1/00000001-9f3ac2d1/torn/x.torn",
        "logs/demo/gateway-1/00000001-9f3ac2d1/torn/00000000-5.torn",
        "logs/Demo/gateway-1/00000001-9f3ac2d1/checkpoint"}) {
    Files files = log().files();
    files[path] = "x";
    expect(verify(files, key()), Kind::foreign, std::nullopt);
  }
}

TEST_F(Verify, FindsBackdatingAgainstTheCheckpointBefore) {
  LogBuilder builder = log();
  builder.pass(std::chrono::hours{2});
  builder.records(1);
  builder.publish();
  builder.pass(-std::chrono::hours{1});
  builder.records(1);
  builder.pass(std::chrono::hours{1});
  builder.records(1);
  builder.publish();
  expect(verify(builder.files(), key()), Kind::backdated, 33);
}

TEST_F(Verify, FindsARecordFromTheFuture) {
  LogBuilder builder = log();
  builder.pass(std::chrono::hours{1});
  builder.records(1);
  builder.pass(-std::chrono::hours{1});
  builder.publish();
  expect(verify(builder.files(), key()), Kind::backdated, 32);
}

TEST_F(Verify, AllowsTheStatedTolerance) {
  LogBuilder builder = log();
  builder.pass(-std::chrono::seconds{290});
  builder.records(1);
  builder.pass(std::chrono::seconds{290});
  builder.publish();
  EXPECT_EQ(verify(builder.files(), key()).exit_code(), 0);
  Anchors strict = key();
  strict.tolerance = std::chrono::seconds{10};
  expect(verify(builder.files(), strict), Kind::backdated, 32);
}

TEST_F(Verify, FindsACheckpointThatAWitnessSawAtAnotherTime) {
  Files files = log().files();
  Buffer& newest = files[kLog + "checkpoint"];
  merkle::Note note = *merkle::parse_note(newest);
  note.signatures.back() = testing::kWitnessKey.cosign(note.text, 1'700'000'000);
  newest = note.encode();
  files[kLog + "checkpoints"] = newest + "\n";
  expect(verify(files, witness()), Kind::backdated, 31);
}

TEST_F(Verify, FindsAHoleInAConversation) {
  LogBuilder builder = log();
  builder.forged_sequence = true;
  builder.records(3);
  builder.publish();
  expect(verify(builder.files(), key()), Kind::gap, 32);
}

TEST_F(Verify, FindsACheckpointTakenOutOfTheHistory) {
  LogBuilder builder = log();
  for (int i = 0; i < 3; ++i) {
    builder.records(3);
    builder.publish();
  }
  Files files = builder.files();
  const Buffer history = files[kLog + "checkpoints"];
  const auto split = split_history(history);
  ASSERT_EQ(split.notes.size(), 4U);
  for (std::size_t gone = 0; gone < 4; ++gone) {
    Buffer& cut = files[kLog + "checkpoints"];
    cut.clear();
    for (std::size_t i = 0; i < 4; ++i)
      if (i != gone) cut += Buffer{split.notes[i]} + "\n";
    EXPECT_EQ(verify(files, key()).exit_code(), 1) << gone;
  }
}

TEST_F(Verify, FollowsARotatedKeyFromTheOldOne) {
  LogBuilder builder = log();
  const Anchors held = since(builder.files());
  // The record that names the new key is published under the old one, then the new one signs.
  const Buffer old_keys = builder.files().at(kLog + "log.vkey");
  LogBuilder rotated{{.key = 'r'}};
  const Buffer keys = old_keys + rotated.signing_key().verifier().vkey() + "\n";
  builder.leaf(LeafType::key_added, merkle::sha256(keys));
  builder.publish();
  builder.rotate('r');
  builder.publish();
  EXPECT_EQ(verify(builder.files(), key('k')).exit_code(), 0) << verify(builder.files(), key('k')).text();
  EXPECT_EQ(verify(builder.files(), held).exit_code(), 0);
}

TEST_F(Verify, DoesNotFollowAKeyThatTheOldOneNeverNamed) {
  LogBuilder builder = log();
  builder.rotate('r');  // named only under itself
  builder.publish();
  expect(verify(builder.files(), key('k')), Kind::resigned, 32);
}

TEST_F(Verify, FollowsARotatedKeyIntoLaterEpochsOfTheNode) {
  LogBuilder first{{}};
  first.records(30);
  first.publish();
  first.leaf(LeafType::key_added, [&] {
    LogBuilder rotated{{.key = 'r'}};
    return merkle::sha256(first.files().at("logs/demo/gateway-1/00000001-9f3ac2d1/log.vkey") +
                          rotated.signing_key().verifier().vkey() + "\n");
  }());
  first.publish();
  auto files = first.files();
  files.at("logs/demo/gateway-1/00000001-9f3ac2d1/log.vkey") +=
      LogBuilder{{.key = 'r'}}.signing_key().verifier().vkey() + "\n";
  LogBuilder second{{.origin = "demo/gateway-1/00000002-00c0ffee", .seed = 2, .key = 'r'}};
  second.records(5);
  second.publish();
  LogBuilder other{{.origin = "demo/gateway-2/00000001-00c0ffee", .seed = 3, .key = 'r'}};
  other.records(5);
  other.publish();
  files.merge(second.files());
  const Report followed = verify(files, key('k'));
  EXPECT_EQ(followed.exit_code(), 0) << followed.text();
  files.merge(other.files());
  EXPECT_EQ(verify(files, key('k')).exit_code(), 1) << "another node's log never named that key";
}

TEST_F(Verify, ReadsTheStatesThatPublishingCanStopIn) {
  LogBuilder builder = log();
  const Files before = builder.files();
  builder.records(3);
  builder.publish();
  const Files after = builder.files();
  const std::string newest = kLog + "checkpoint", history = kLog + "checkpoints", unfinished = kLog + "checkpoint.new";
  const auto with = [&](const Buffer& now, const Buffer& entries, const Buffer& next) {
    Files files = after;
    files[newest] = now;
    files[history] = entries;
    files[unfinished] = next;
    return verify(files, key()).exit_code();
  };
  const Buffer &old_note = before.at(newest), &old_entries = before.at(history);
  const Buffer &new_note = after.at(newest), &new_entries = after.at(history);
  EXPECT_EQ(with(old_note, old_entries, new_note.substr(0, 50)), 0);
  EXPECT_EQ(with(old_note, old_entries, new_note), 0);
  EXPECT_EQ(with(old_note, new_entries.substr(0, old_entries.size() + 40), new_note), 0);
  EXPECT_EQ(with(old_note, new_entries, new_note), 0);
  EXPECT_EQ(with(old_note, new_entries, "x"), 1);
  EXPECT_EQ(with(new_note, old_entries, new_note), 1);
  EXPECT_EQ(with(old_note, old_entries + "garbage", "x"), 1);
}

// While the entry of `checkpoint.new` is written, power loss leaves any of its sectors as they were: zero.
TEST_F(Verify, TellsAnUnfinishedEntryFromAChangedOne) {
  LogBuilder builder = log();
  for (int i = 0; i < 3; ++i) {
    builder.records(3);
    builder.publish();
  }
  const Files before = builder.files();
  builder.records(3);
  builder.publish();
  Files files = builder.files();
  const Buffer all = files[kLog + "checkpoints"], next = files[kLog + "checkpoint"];
  const std::size_t begin = before.at(kLog + "checkpoints").size();
  ASSERT_NE(begin % 512, 0U);
  files[kLog + "checkpoint"] = before.at(kLog + "checkpoint");
  files[kLog + "checkpoint.new"] = next;
  Buffer& history = files[kLog + "checkpoints"];
  const auto code = [&] { return verify(files, key()).exit_code(); };

  std::vector<std::size_t> cuts{begin};  // begin, the sectors' borders within the entry, end
  for (std::size_t at = (begin / 512 + 1) * 512; at < all.size(); at += 512) cuts.push_back(at);
  cuts.push_back(all.size());
  for (std::size_t size = begin; size <= all.size(); size += 7)
    for (std::uint32_t lost = 0; lost < 1U << (cuts.size() - 1); ++lost) {
      history = all;
      for (std::size_t i = 0; i + 1 < cuts.size(); ++i)
        if ((lost >> i & 1) != 0) history.replace(cuts[i], cuts[i + 1] - cuts[i], cuts[i + 1] - cuts[i], '\0');
      history.resize(size);
      ASSERT_EQ(code(), 0) << "size " << size << " lost " << lost;
    }
  for (std::size_t at = 0; at < all.size(); ++at) {
    history = all;
    history[at] = static_cast<char>(history[at] ^ 0x20);
    ASSERT_EQ(code(), 1) << "octet " << at;
    if (at < begin) {
      history = all.substr(0, begin);
      history[at] = '\0';
      ASSERT_EQ(code(), 1) << "octet " << at;
    }
  }
  for (const std::size_t sector : {std::size_t{0}, (begin / 512 - 1) * 512}) {
    history = all;
    history.replace(sector, 512, 512, '\0');
    ASSERT_EQ(code(), 1) << "a sector of finished entries";
  }
  history = all.substr(0, begin) + Buffer(all.size() - begin, '\0');
  ASSERT_EQ(code(), 0);
  history += '\0';
  EXPECT_EQ(code(), 1) << "more than the entry";
  history = all.substr(0, begin) + Buffer(40, '\0');
  files.erase(kLog + "checkpoint.new");
  EXPECT_EQ(code(), 1) << "nothing was being published";
}

}  // namespace
}  // namespace chancery::verify
