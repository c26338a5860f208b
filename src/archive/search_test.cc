#include "archive/search.h"

#include <fstream>
#include <gtest/gtest.h>

#include "archive/log_index.h"
#include "archive/testing/records.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;
using namespace testing;

using Indices = std::vector<std::uint64_t>;

class SearchTest : public ::testing::Test {
 protected:
  void add(Record record) { writer_.add(record, leaf_of(writer_.complete_to())); }
  void say(std::string_view time, std::string from, std::string to, std::string text) {
    add(message(time, std::move(from), std::move(to), std::move(text)));
  }

  Answer answer(Query query) {
    writer_.commit();
    auto answer = search(folder_.path(), {kLog}, query);
    EXPECT_TRUE(answer) << answer.error();
    return answer.value_or(Answer{});
  }
  Indices found(Query query) {
    Indices indices;
    for (const auto& hit : answer(std::move(query)).hits) indices.push_back(hit.index);
    return indices;
  }
  Indices found(std::string text) {
    Query query;
    query.text = std::move(text);
    return found(std::move(query));
  }

  Folder folder_;
  LogIndexWriter writer_{folder_.path(), kLog};
};

TEST_F(SearchTest, WordsPhrasesPrefixesNearAndOperators) {
  say("2026-05-01T10:00:00Z", "alice@im.test", "bob@im.test", "The quarterly results are confidential");
  say("2026-05-01T10:00:01Z", "bob@im.test", "alice@im.test", "Results quarterly? We guarantee a very good return");
  say("2026-05-01T10:00:02Z", "bob@im.test", "alice@im.test", "Lunch?");
  EXPECT_EQ(found("results"), (Indices{1, 0}));
  EXPECT_EQ(found("RESULTS quarterly"), (Indices{1, 0}));
  EXPECT_EQ(found("\"quarterly results\""), Indices{0});
  EXPECT_EQ(found("conf*"), Indices{0});
  EXPECT_EQ(found("NEAR(guarantee return, 3)"), Indices{1});
  EXPECT_EQ(found("NEAR(guarantee return, 2)"), Indices{});
  EXPECT_EQ(found("lunch OR confidential"), (Indices{2, 0}));
  EXPECT_EQ(found("results NOT confidential"), Indices{1});
  EXPECT_EQ(found(""), (Indices{2, 1, 0}));
  EXPECT_EQ(found("absent"), Indices{});
}

TEST_F(SearchTest, UnspacedScriptsAreFoundByAnyPiece) {
  say("2026-05-01T10:00:00Z", "a@im.test", "b@im.test", "我们明天开会吧 OK");
  say("2026-05-01T10:00:01Z", "a@im.test", "b@im.test", "明日は東京タワーに行く");
  say("2026-05-01T10:00:02Z", "a@im.test", "b@im.test", "한국어를 공부해요");
  EXPECT_EQ(found("明天"), Indices{0});
  EXPECT_EQ(found("明"), (Indices{1, 0}));
  EXPECT_EQ(found("吧"), Indices{0});
  EXPECT_EQ(found("天开会"), Indices{0});
  EXPECT_EQ(found("天会"), Indices{});
  EXPECT_EQ(found("\"吧 ok\""), Indices{0});
  EXPECT_EQ(found("タワー"), Indices{1});
  EXPECT_EQ(found("한국어"), Indices{2});
  EXPECT_EQ(found("明*"), (Indices{1, 0}));
}

TEST_F(SearchTest, DiacriticsAndCaseDoNotMatter) {
  say("2026-05-01T10:00:00Z", "a@im.test", "b@im.test", "Herr Müller zahlt in Zürich");
  EXPECT_EQ(found("MULLER zurich"), Indices{0});
  EXPECT_EQ(found("müller"), Indices{0});
}

TEST_F(SearchTest, FiltersByPartiesRoomNetworkRuleKindAndVerdict) {
  say("2026-05-01T10:00:00Z", "alice@im.test", "bob@im.test", "direct");
  Record in_room = message("2026-05-01T10:00:01Z", "tea@rooms.im.test/Alice", "x", "in a room");
  in_room.event.to.clear();
  in_room.event.scope = Scope::room;
  in_room.event.room = "tea@rooms.im.test";
  in_room.account = "alice@im.test";
  in_room.decision.rules = {"lexicon.gossip"};
  in_room.decision.verdict = Verdict::flag;
  add(in_room);
  Record irc = message("2026-05-01T10:00:02Z", "alice", "carol", "on irc");
  irc.network = "oftc";
  irc.event.kind = Kind::file_offer;
  irc.event.files = {{"plan-2027.pdf", 1, "", "", "dcc", ""}};
  add(irc);
  const auto with = [&](auto set) {
    Query query;
    set(query);
    return found(query);
  };
  EXPECT_EQ(with([](Query& q) { q.from = {"alice@im.test"}; }), (Indices{1, 0}));
  EXPECT_EQ(with([](Query& q) { q.from = {"ALICE"}; }), (Indices{2, 1, 0}));
  EXPECT_EQ(with([](Query& q) { q.from = {"ali"}; }), Indices{});
  EXPECT_EQ(with([](Query& q) { q.to = {"bob"}; }), Indices{0});
  EXPECT_EQ(with([](Query& q) { q.to = {"bob", "carol"}; }), (Indices{2, 0}));
  EXPECT_EQ(with([](Query& q) { q.room = {"tea"}; }), Indices{1});
  EXPECT_EQ(with([](Query& q) { q.room = {"tea@rooms.im.test"}; }), Indices{1});
  EXPECT_EQ(with([](Query& q) { q.network = {"oftc"}; }), Indices{2});
  EXPECT_EQ(with([](Query& q) { q.rule = {"lexicon.gossip"}; }), Indices{1});
  EXPECT_EQ(with([](Query& q) { q.kind = {"file_offer"}; }), Indices{2});
  EXPECT_EQ(with([](Query& q) { q.verdict = {"flag"}; }), Indices{1});
  EXPECT_EQ(with([](Query& q) {
              q.text = "room";
              q.from = {"alice"};
              q.room = {"tea"};
            }),
            Indices{1});
  EXPECT_EQ(found("plan"), Indices{2}) << "names of files are text";
}

TEST_F(SearchTest, TagsCannotBeReachedByTextNorTextByTags) {
  say("2026-05-01T10:00:00Z", "alice@im.test", "bob@im.test",
      "\x01"
      "f:carol@im.test nothing");
  EXPECT_EQ(found("nothing"), Indices{0});
  Query query;
  query.from = {"carol@im.test"};
  EXPECT_EQ(found(query), Indices{});
  EXPECT_EQ(found("message"), Indices{}) << "the kind is no text";
}

TEST_F(SearchTest, SinceAndUntilAreExactAlsoWhenTheClockStepsBack) {
  say("2026-05-01T10:59:59Z", "a@im.test", "b@im.test", "word");
  say("2026-05-01T11:00:00Z", "a@im.test", "b@im.test", "word");
  say("2026-05-01T09:30:00Z", "a@im.test", "b@im.test", "word");
  say("2026-05-01T12:00:00Z", "a@im.test", "b@im.test", "word");
  say("2026-06-01T12:00:00Z", "a@im.test", "b@im.test", "word");
  Query query;
  query.text = "word";
  query.since = at("2026-05-01T11:00:00Z");
  EXPECT_EQ(found(query), (Indices{4, 3, 1}));
  query.until = at("2026-05-01T12:00:00Z");
  EXPECT_EQ(found(query), Indices{1});
  query.since.reset();
  query.until = at("2026-05-01T10:00:00Z");
  EXPECT_EQ(found(query), Indices{2});
  query.until = at("2020-01-01");
  EXPECT_EQ(found(query), Indices{});
}

TEST_F(SearchTest, TheLimitIsKeptAndMoreIsSaid) {
  for (int i = 0; i < 5; ++i) say("2026-05-01T10:00:00Z", "a@im.test", "b@im.test", "word");
  Query query;
  query.text = "word";
  query.limit = 3;
  EXPECT_EQ(found(query), (Indices{4, 3, 2}));
  EXPECT_TRUE(answer(query).more);
  query.limit = 5;
  EXPECT_FALSE(answer(query).more);
}

TEST_F(SearchTest, DeliveriesAndChangesAreShownWithTheMessageAlsoFromALaterMonth) {
  Record said = message("2026-05-01T10:00:00Z", "alice@im.test", "bob@im.test", "teh plan");
  said.event.id = "m-1";
  said.event.origin_id = "o-1";
  add(said);
  Record edit = message("2026-05-01T10:00:05Z", "alice@im.test", "bob@im.test", "the plan");
  edit.event.kind = Kind::edit;
  edit.event.ref = "m-1";
  add(edit);
  Record elsewhere = edit;
  elsewhere.conversation.octets[0] = 8;
  add(elsewhere);
  Record delivery;
  delivery.time = at("2026-06-02T10:00:00Z");
  delivery.event.kind = Kind::delivery;
  delivery.deliveries = {{0, "bob@im.test", {}, at("2026-06-02T09:00:00Z"), true},
                         {1, "bob@im.test", {}, at("2026-06-02T09:00:01Z"), false}};
  add(delivery);
  Record reaction = message("2026-06-03T10:00:00Z", "bob@im.test", "alice@im.test", "");
  reaction.event.texts.clear();
  reaction.event.kind = Kind::reaction;
  reaction.event.ref = "o-1";
  reaction.event.detail = "👍";
  add(reaction);
  Query query;
  query.text = "teh";
  const Answer found_it = answer(query);
  ASSERT_EQ(found_it.hits.size(), 1U);
  const Hit& hit = found_it.hits[0];
  ASSERT_EQ(hit.deliveries.size(), 1U);
  EXPECT_EQ(hit.deliveries[0].to, "bob@im.test");
  EXPECT_TRUE(hit.deliveries[0].matched_copy);
  ASSERT_EQ(hit.changes.size(), 2U);
  EXPECT_EQ(hit.changes[0].index, 1U);
  EXPECT_EQ(hit.changes[0].record.event.texts[0].text, "the plan");
  EXPECT_EQ(hit.changes[1].record.event.detail, "👍");
  EXPECT_EQ(found("👍"), Indices{4});
}

TEST_F(SearchTest, AHitHasTheWholeRecordButItsWire) {
  Record said = message("2026-05-01T10:00:00Z", "alice@im.test", "bob@im.test", "word");
  said.decision.policy_revision = "abc";
  add(said);
  said.wire.clear();
  said.event.texts[0].segments.clear();
  Query query;
  query.text = "word";
  EXPECT_EQ(answer(query).hits.at(0).record, said);
}

TEST_F(SearchTest, AnAnswerSaysHowFarItIsComplete) {
  say("2026-05-01T10:00:00Z", "a@im.test", "b@im.test", "word");
  const Answer one = answer({});
  ASSERT_EQ(one.logs.size(), 1U);
  EXPECT_EQ(one.logs[0].complete_to, 1U);
  EXPECT_EQ(one.logs[0].newest, at("2026-05-01T10:00:00Z"));
  const auto other = search(folder_.path(), {"site/node/00000009-00000000"}, {});
  EXPECT_EQ(other->logs.at(0).complete_to, 0U);
}

TEST_F(SearchTest, LogsAreMergedByTime) {
  constexpr const char* kOther = "site/other/00000001-00000000";
  LogIndexWriter other{folder_.path(), kOther};
  say("2026-05-01T10:00:00Z", "a@im.test", "b@im.test", "word");
  say("2026-05-01T10:00:02Z", "a@im.test", "b@im.test", "word");
  other.add(message("2026-05-01T10:00:01Z", "a@im.test", "b@im.test", "word"), leaf_of(0));
  other.commit();
  writer_.commit();
  const auto both = search(folder_.path(), {kLog, kOther}, {});
  ASSERT_EQ(both->hits.size(), 3U);
  EXPECT_EQ(both->hits[0].log, kLog);
  EXPECT_EQ(both->hits[1].log, kOther);
  EXPECT_EQ(both->hits[2].index, 0U);
}

TEST_F(SearchTest, ADamagedOrMissingMonthIsNamedAndTheOthersStillAnswer) {
  say("2026-04-01T10:00:00Z", "a@im.test", "b@im.test", "word");
  say("2026-05-01T10:00:00Z", "a@im.test", "b@im.test", "word");
  writer_.commit();
  const auto april = month_files(log_index_folder(folder_.path(), kLog)).at(0);
  std::ofstream(april, std::ios::in | std::ios::out) << "spoiled, so that it is no database any more";
  const Answer rest = answer({});
  EXPECT_EQ(rest.hits.size(), 1U);
  EXPECT_EQ(rest.logs[0].damaged, std::vector{april.string()});
  EXPECT_EQ(coverage(folder_.path(), {kLog}, false)[0].damaged.size(), 1U);
  fs::remove(april);
  EXPECT_EQ(answer({}).hits.size(), 1U);
  ASSERT_EQ(answer({}).logs[0].damaged.size(), 1U);
  EXPECT_NE(answer({}).logs[0].damaged[0].find("records 0 to 0"), std::string::npos);
}

TEST_F(SearchTest, ADeepCheckFindsAChangedPage) {
  for (int i = 0; i < 300; ++i) say("2026-04-01T10:00:00Z", "a@im.test", "b@im.test", fmt::format("word{} other", i));
  writer_.commit();
  const auto file = month_files(log_index_folder(folder_.path(), kLog)).at(0);
  Database{file, Database::Mode::write}.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  EXPECT_TRUE(coverage(folder_.path(), {kLog}, true)[0].damaged.empty());
  const auto size = fs::file_size(file);
  std::fstream out(file, std::ios::in | std::ios::out);
  for (auto at = size / 2; at < size / 2 + 12288; at += 16) {
    out.seekp(static_cast<std::streamoff>(at));
    out << "xxxx";
  }
  out.close();
  EXPECT_EQ(coverage(folder_.path(), {kLog}, true)[0].damaged.size(), 1U);
}

}  // namespace
}  // namespace chancery::archive
