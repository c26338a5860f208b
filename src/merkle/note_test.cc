#include "merkle/note.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <sstream>

#include "core/encoding.h"

namespace chancery::merkle {
namespace {

// The example of Go's golang.org/x/mod/sumdb/note, where the format comes from.
constexpr std::string_view kVkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kSkey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view kText =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
constexpr std::string_view kLine =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

Buffer example() { return Buffer{kText} + "\n" + Buffer{kLine}; }

SigningKey key_named(const std::string& name, KeyType type = KeyType::ed25519, char seed = 's') {
  return {name, type, *PrivateKey::from_seed(Buffer(32, seed))};
}

TEST(Ed25519, HasTheVectorsOfRfc8032) {
  // RFC 8032 §7.1, TEST 1 and TEST 2.
  const auto one = PrivateKey::from_seed(*from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  EXPECT_EQ(to_hex(bytes_of_key(one->public_key())),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(
      to_hex(one->sign("")),
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
      "be24655141438e7a100b");
  const auto two = PrivateKey::from_seed(*from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  EXPECT_EQ(
      to_hex(two->sign("r")),
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
      "2aeeb00d291612bb0c00");
  EXPECT_TRUE(verify(two->public_key(), "r", two->sign("r")));
  EXPECT_FALSE(verify(one->public_key(), "r", two->sign("r")));
  EXPECT_FALSE(verify(two->public_key(), "s", two->sign("r")));
}

TEST(Ed25519, RefusesWrongSizes) {
  EXPECT_FALSE(PrivateKey::from_seed(Buffer(31, 'x')));
  EXPECT_FALSE(PrivateKey::from_seed(Buffer(33, 'x')));
  const auto key = *PrivateKey::from_seed(Buffer(32, 'x'));
  EXPECT_FALSE(verify(key.public_key(), "m", key.sign("m").substr(1)));
  EXPECT_FALSE(verify(key.public_key(), "m", key.sign("m") + "x"));
  EXPECT_EQ(key.seed(), Buffer(32, 'x'));
}

TEST(Note, VerifiesGosExample) {
  const auto key = VerifierKey::parse(kVkey);
  ASSERT_TRUE(key);
  const auto note = parse_note(example());
  ASSERT_TRUE(note);
  EXPECT_EQ(note->text, kText);
  EXPECT_TRUE(check(*note, *key).is_valid());
  EXPECT_EQ(note->encode(), example());
}

TEST(Note, SignsGosExample) {
  const auto key = SigningKey::parse(kSkey);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->verifier().vkey(), kVkey);
  EXPECT_EQ(key->sign(kText).line(), kLine);
  EXPECT_EQ(key->skey(), kSkey);
}

TEST(Note, FailsToVerifyWhenAnyBitOfTextOrSignatureChanges) {
  const auto key = *VerifierKey::parse(kVkey);
  const Buffer good = example();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Buffer bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    const auto note = parse_note(bad);
    ASSERT_FALSE(note && check(*note, key).is_valid()) << "bit " << bit;
  }
}

TEST(Note, IsRefusedWhenMalformed) {
  const std::string line{kLine};
  const std::vector<std::string> malformed = {"",
                                              "text\n",
                                              "text\n\n",
                                              "text\n" + line,
                                              "\n" + line,
                                              "text\n\n" + line.substr(0, line.size() - 1),
                                              "text\n\n" + line + "\n",
                                              "te\txt\n\n" + line,
                                              std::string{"te\0xt\n\n", 7} + line,
                                              "te\rxt\n\n" + line,
                                              "te\xffxt\n\n" + line,
                                              "text\n\n- PeterNeumann x08go/ZJ\n",
                                              "text\n\n— a b\n",
                                              "text\n\n— a x08gow==\n",
                                              "text\n\n—  x08go/ZJ\n",
                                              "text\n\n— a+b x08go/ZJ\n",
                                              "text\n\n— a x08go/ZJ \n",
                                              "text\n\n— a  x08go/ZJ\n",
                                              "text\n\nx\n" + line};
  for (const std::string& bad : malformed) EXPECT_FALSE(parse_note(bad)) << bad;
}

TEST(Note, IsSplitAtItsLastEmptyLine) {
  const auto note = parse_note("a\n\nb\n\n" + std::string{kLine});
  ASSERT_TRUE(note);
  EXPECT_EQ(note->text, "a\n\nb\n");
}

TEST(Note, HoldsAtLeastSixteenSignaturesAndHasALimit) {
  std::string text = "text\n\n";
  for (std::size_t i = 0; i < kNoteSignaturesMax; ++i) text += kLine;
  EXPECT_EQ(parse_note(text)->signatures.size(), kNoteSignaturesMax);
  EXPECT_EQ(parse_note(text + std::string{kLine}).error(), NoteError::too_large);
  EXPECT_EQ(parse_note(std::string(kNoteSizeMax + 1, 'x')).error(), NoteError::too_large);
}

TEST(Note, IgnoresUnknownKeysEvenWhenTheyShareNameOrId) {
  const SigningKey known = key_named("a"), same_name = key_named("a", KeyType::ed25519, 'o');
  const Buffer text = "text\n";
  NoteSignature same_id = known.sign(text);
  same_id.name = "b";
  Note note{text, {same_name.sign(text), same_id, known.sign(text)}};
  EXPECT_TRUE(check(note, known.verifier()).is_valid());
  note.signatures.pop_back();
  EXPECT_EQ(check(note, known.verifier()).state, Checked::State::absent);
}

TEST(Note, IsRejectedWhenOneOfTwoSignaturesOfAKnownKeyFails) {
  const SigningKey key = key_named("a");
  Note note{"text\n", {key.sign("text\n"), key.sign("other\n")}};
  EXPECT_EQ(check(note, key.verifier()).state, Checked::State::invalid);
}

TEST(VerifierKeys, AreReadStrictly) {
  const std::string good{kVkey};
  EXPECT_EQ(VerifierKey::parse(good)->vkey(), good);
  std::string upper = good;
  upper.replace(13, 8, "C74F20A3");
  for (const std::string& bad :
       {std::string{}, std::string{"PeterNeumann"}, upper, good + "A", good.substr(1), good.substr(0, good.size() - 1),
        "Peter Neumann" + good.substr(12), "+" + good, good + "\n", std::string{"a+00000000+AQ=="}})
    EXPECT_FALSE(VerifierKey::parse(bad)) << bad;
}

TEST(VerifierKeys, ChangeTheirIdWithNameTypeAndKey) {
  const auto id = key_named("a").verifier().id();
  EXPECT_NE(id, key_named("b").verifier().id());
  EXPECT_NE(id, key_named("a", KeyType::cosignature).verifier().id());
  EXPECT_NE(id, key_named("a", KeyType::ed25519, 't').verifier().id());
}

TEST(VerifierKeys, DetectEverySingleBitChange) {
  const std::string good{kVkey};
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(VerifierKey::parse(bad)) << bad;
  }
}

TEST(SignerKeys, AreReadStrictly) {
  const std::string good{kSkey};
  for (const std::string& bad : {std::string{kVkey}, good.substr(8), good + "=", good.substr(0, good.size() - 4)})
    EXPECT_FALSE(SigningKey::parse(bad));
  const SigningKey witness = key_named("w.example", KeyType::cosignature);
  EXPECT_EQ(SigningKey::parse(witness.skey())->verifier(), witness.verifier());
}

TEST(KeyNames, HaveNoSpacesPlusesOrControls) {
  for (const char* good : {"a", "example.com/log42", "demo/gateway-1/00000001-9f3ac2d1", "größe"})
    EXPECT_TRUE(is_key_name(good)) << good;
  for (const std::string& bad :
       {std::string{}, std::string{"a b"}, std::string{"a+b"}, std::string{"a\xc2\xa0"}, std::string{"a\xe3\x80\x80"},
        std::string{"a\n"}, std::string{"a\xff"}, std::string(kKeyNameSizeMax + 1, 'a')})
    EXPECT_FALSE(is_key_name(bad)) << bad;
}

// tlog-cosignature v1, "Ed25519 signed message": two header lines before the checkpoint's text.
TEST(Cosignature, SignsTheTimeAndTheText) {
  const SigningKey key = key_named("w.example", KeyType::cosignature);
  const Buffer text = "example.com/log\n1\nroot\n";
  const NoteSignature signature = key.cosign(text, 1679315147);
  EXPECT_EQ(to_hex(signature.signature.substr(0, 8)),
            "000000006418"
            "50cb");
  EXPECT_TRUE(verify(key.key.public_key(), "cosignature/v1\ntime 1679315147\n" + text, signature.signature.substr(8)));
  const Checked checked = check(Note{text, {signature}}, key.verifier());
  EXPECT_TRUE(checked.is_valid());
  EXPECT_EQ(checked.time_s, 1679315147U);
}

TEST(Cosignature, FailsWithAnotherTimeTextOrSize) {
  const SigningKey key = key_named("w.example", KeyType::cosignature);
  const Buffer text = "example.com/log\n1\nroot\n";
  NoteSignature later = key.cosign(text, 1679315147);
  later.signature[7] = static_cast<char>(later.signature[7] + 1);
  EXPECT_EQ(check(Note{text, {later}}, key.verifier()).state, Checked::State::invalid);
  EXPECT_EQ(check(Note{"other\n", {key.cosign(text, 1)}}, key.verifier()).state, Checked::State::invalid);
  EXPECT_EQ(check(Note{text, {key.sign(text)}}, key.verifier()).state, Checked::State::invalid);
  EXPECT_EQ(check(Note{text, {key.cosign(text, std::uint64_t{1} << 63)}}, key.verifier()).state,
            Checked::State::invalid);
}

TEST(Cosignature, DoesNotPassForALogSignature) {
  const SigningKey witness = key_named("a", KeyType::cosignature), log = key_named("a", KeyType::ed25519);
  EXPECT_EQ(check(Note{"t\n", {witness.cosign("t\n", 7)}}, log.verifier()).state, Checked::State::absent);
}

// The examples in C2SP's own text (signed-note.md), run when a checkout of its specifications is named.
TEST(C2sp, ExampleOfSignedNoteVerifies) {
  const char* folder = std::getenv("CHANCERY_C2SP_DIR");
  if (folder == nullptr) GTEST_SKIP() << "CHANCERY_C2SP_DIR is not set";
  std::stringstream file;
  file << std::ifstream{std::string{folder} + "/signed-note.md"}.rdbuf();
  const std::string markdown = file.str();
  std::smatch match;
  ASSERT_TRUE(std::regex_search(markdown, match, std::regex{"\n    (\\S+\\+[0-9a-f]{8}\\+\\S+)\n"}));
  const auto key = VerifierKey::parse(match[1].str());
  ASSERT_TRUE(key) << match[1];
  const auto begin = markdown.find("```\n", static_cast<std::size_t>(match.position())) + 4;
  const auto note = parse_note(Bytes{markdown}.substr(begin, markdown.find("```", begin) - begin));
  ASSERT_TRUE(note);
  EXPECT_TRUE(check(*note, *key).is_valid());
}

}  // namespace
}  // namespace chancery::merkle
