#include "merkle/checkpoint.h"

#include <gtest/gtest.h>

#include "core/encoding.h"
#include "merkle/hash.h"

namespace chancery::merkle {
namespace {

Checkpoint example() { return {"demo/gateway-1/00000001-9f3ac2d1", {20852163, leaf_hash("x")}, {}}; }

TEST(CheckpointText, IsThreeLinesAndTheExtensions) {
  Checkpoint checkpoint = example();
  EXPECT_EQ(checkpoint.text(), "demo/gateway-1/00000001-9f3ac2d1\n20852163\n" + to_base64(leaf_hash("x")) + "\n");
  checkpoint.extensions = {"one", "two 2"};
  EXPECT_EQ(Checkpoint::parse(checkpoint.text()), checkpoint);
  EXPECT_TRUE(checkpoint.text().ends_with("\none\ntwo 2\n"));
}

TEST(CheckpointText, IsReadStrictly) {
  const std::string root = to_base64(leaf_hash("x"));
  EXPECT_TRUE(Checkpoint::parse("o\n0\n" + root + "\n"));
  EXPECT_TRUE(Checkpoint::parse("o\n18446744073709551615\n" + root + "\n"));
  for (const std::string& bad :
       {std::string{}, std::string{"o\n"}, std::string{"o\n1\n"}, "o\n1\n" + root, "\n1\n" + root + "\n",
        "o\n01\n" + root + "\n", "o\n+1\n" + root + "\n", "o\n-1\n" + root + "\n", "o\n1 \n" + root + "\n",
        "o\n18446744073709551616\n" + root + "\n", "o\n\n" + root + "\n", "o\n1\n" + root.substr(4) + "\n",
        "o\n1\n" + root + "\n\n", "o\n1\n" + root + "\n\nx\n", "o\n1\n" + root + "\nx", "\xff\n1\n" + root + "\n"})
    EXPECT_FALSE(Checkpoint::parse(bad)) << bad;
}

TEST(CheckpointText, IsTheTextOfANoteAndSurvivesSigning) {
  const SigningKey key{"demo/gateway-1/00000001-9f3ac2d1", KeyType::ed25519, *PrivateKey::from_seed(Buffer(32, 'k'))};
  const Buffer text = example().text();
  const auto note = parse_note(Note{text, {key.sign(text)}}.encode());
  ASSERT_TRUE(note);
  EXPECT_EQ(Checkpoint::parse(note->text), example());
  EXPECT_TRUE(check(*note, key.verifier()).is_valid());
}

TEST(CheckpointExtensions, AreTimeAndPrevious) {
  const Extensions extensions{*parse_rfc3339("2026-11-23T01:02:03.123456Z"), leaf_hash("before")};
  EXPECT_EQ(extensions.lines(), (std::vector<std::string>{"time 2026-11-23T01:02:03.123456Z",
                                                          "previous " + to_base64(leaf_hash("before"))}));
  EXPECT_EQ(Extensions::parse(extensions.lines()), extensions);
}

TEST(CheckpointExtensions, HaveOneSpellingOnly) {
  const std::string time = "time 2026-11-23T01:02:03.123456Z", previous = "previous " + to_base64(leaf_hash("b"));
  for (const std::vector<std::string>& bad : {std::vector<std::string>{},
                                              {time},
                                              {previous, time},
                                              {time, previous, "x"},
                                              {"time 2026-11-23T01:02:03Z", previous},
                                              {"time 2026-11-23T02:02:03.123456+01:00", previous},
                                              {"Time 2026-11-23T01:02:03.123456Z", previous},
                                              {time, previous + "="},
                                              {time, "previous "}})
    EXPECT_FALSE(Extensions::parse(bad));
}

TEST(TlogProof, IsWrittenAsTheSpecificationShows) {
  InclusionProof proof{"age", 73894, {leaf_hash("a"), leaf_hash("b")}, "checkpoint\n"};
  const std::string text = "c2sp.org/tlog-proof@v1\nextra YWdl\nindex 73894\n" + to_base64(leaf_hash("a")) + "\n" +
                           to_base64(leaf_hash("b")) + "\n\ncheckpoint\n";
  EXPECT_EQ(proof.encode(), text);
  EXPECT_EQ(InclusionProof::parse(text), proof);
  proof.extra.reset();
  EXPECT_EQ(InclusionProof::parse(proof.encode()), proof);
  proof.hashes.clear();  // a tree of one leaf
  EXPECT_EQ(InclusionProof::parse(proof.encode()), proof);
}

TEST(TlogProof, IsReadStrictly) {
  const std::string hash = to_base64(leaf_hash("a"));
  std::string many = "c2sp.org/tlog-proof@v1\nindex 0\n";
  for (std::size_t i = 0; i <= kProofHashesMax; ++i) many += hash + "\n";
  for (const std::string& bad :
       {std::string{}, std::string{"c2sp.org/tlog-proof@v2\nindex 0\n\nc\n"}, std::string{"c2sp.org/tlog-proof@v1\n"},
        std::string{"c2sp.org/tlog-proof@v1\nindex 00\n\nc\n"}, std::string{"c2sp.org/tlog-proof@v1\nindex 0\n"},
        std::string{"c2sp.org/tlog-proof@v1\nindex 0\n\n"}, "c2sp.org/tlog-proof@v1\nindex 0\n" + hash + "\nc\n",
        std::string{"c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nc\n"},
        std::string{"c2sp.org/tlog-proof@v1\nindex 0\nextra YWdl\n\nc\n"}, many + "\nc\n"})
    EXPECT_FALSE(InclusionProof::parse(bad)) << bad;
}

TEST(AddCheckpointRequest, IsWrittenAsTheSpecificationShows) {
  const AddCheckpoint request{20852014, {leaf_hash("a")}, "example.com/log\n1\n"};
  EXPECT_EQ(request.encode(), "old 20852014\n" + to_base64(leaf_hash("a")) + "\n\nexample.com/log\n1\n");
  EXPECT_EQ(AddCheckpoint::parse(request.encode()), request);
}

TEST(AddCheckpointRequest, IsReadStrictly) {
  std::string many = "old 1\n";
  for (int i = 0; i < 64; ++i) many += to_base64(leaf_hash("a")) + "\n";
  for (const std::string& bad : {std::string{}, std::string{"old\n\nc\n"}, std::string{"old 01\n\nc\n"},
                                 std::string{"old  1\n\nc\n"}, std::string{"old 1\n"}, std::string{"old 1\n\n"},
                                 std::string{"old 1\nAAAA\n\nc\n"}, std::string{"old 1"}, many + "\nc\n"})
    EXPECT_FALSE(AddCheckpoint::parse(bad)) << bad;
}

}  // namespace
}  // namespace chancery::merkle
