// The signer: what it signs, what it refuses, what it remembers, and that a process of its own does the same.
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>

#include "archive/seal/key_file.h"
#include "archive/seal/signer_process.h"
#include "journal/memory_disk.h"
#include "merkle/reference_tree.h"

namespace chancery::seal {
namespace {

namespace reference = merkle::reference;
constexpr const char* kOrigin = "hq/gw-1/00000001-00000000";

merkle::PrivateKey key() { return *merkle::PrivateKey::from_seed(Buffer(32, 'k')); }

class Signer : public ::testing::Test {
 protected:
  SignRequest request(std::uint64_t from, std::uint64_t to) const {
    return {kOrigin, head(to), Hash{}, from, *merkle::make_consistency_proof(from, to, reference::nodes(leaves_))};
  }
  merkle::TreeHead head(std::uint64_t size) const {
    return {size, reference::mth(reference::Leaves{leaves_}.first(size))};
  }
  Refusal refusal(std::uint64_t known, const SignRequest& asked) const {
    const auto result = core_.sign(Signed{head(known), kNow}, asked, kNow);
    EXPECT_FALSE(result);
    EXPECT_EQ(result.error().size, known);
    return result ? Refusal::malformed : result.error().why;
  }
  static inline const Instant kNow = *parse_rfc3339("2026-11-23T01:02:03.123456Z");
  std::vector<std::string> leaves_ = reference::leaves(30);
  SignerCore core_{key(), "hq/gw-1/"};
};

TEST_F(Signer, SignsWhatFollowsWithItsOwnTime) {
  const auto approval = core_.sign(Signed{head(5), kNow - std::chrono::seconds{1}}, request(5, 9), kNow);
  ASSERT_TRUE(approval);
  const auto note = merkle::parse_note(approval->note);
  EXPECT_TRUE(merkle::check(*note, core_.verifier(kOrigin)).is_valid());
  const auto text = *merkle::Checkpoint::parse(note->text);
  EXPECT_EQ(text.origin, kOrigin);
  EXPECT_EQ(text.head, head(9));
  EXPECT_EQ(merkle::Extensions::parse(text.extensions)->time, kNow);
  EXPECT_EQ(approval->signed_now, (Signed{head(9), kNow}));
}

TEST_F(Signer, RepeatsItsTimeWhenTheClockWentBack) {
  const auto approval = core_.sign(Signed{head(5), kNow}, request(5, 9), kNow - std::chrono::hours{1});
  EXPECT_EQ(approval->signed_now.time, kNow);
}

TEST_F(Signer, SignsTheSameHeadAgain) { EXPECT_TRUE(core_.sign(Signed{head(9), kNow}, request(9, 9), kNow)); }

TEST_F(Signer, RefusesSmallerForkedForeignAndUnprovenTrees) {
  EXPECT_EQ(refusal(9, request(5, 7)), Refusal::shrinking);
  EXPECT_EQ(refusal(9, request(5, 12)), Refusal::conflict);
  EXPECT_EQ(refusal(9, request(0, 12)), Refusal::conflict);
  SignRequest forked = request(9, 12);
  forked.proof.front()[0] ^= 1;
  EXPECT_EQ(refusal(9, forked), Refusal::forked);
  forked = request(9, 9);
  forked.head.root[0] ^= 1;
  EXPECT_EQ(refusal(9, forked), Refusal::forked);
  SignRequest foreign = request(9, 12);
  foreign.origin = "hq/gw-2/00000001-00000000";
  EXPECT_EQ(refusal(9, foreign), Refusal::foreign_origin);
}

TEST_F(Signer, ReadsItsRequestsStrictly) {
  const SignRequest asked = request(5, 9);
  const auto read = SignRequest::parse(asked.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->encode(), asked.encode());
  for (const Buffer& bad : {Buffer{}, Buffer{"old 0\n\n"}, asked.encode() + "x\n", asked.encode() + "\n"})
    EXPECT_FALSE(SignRequest::parse(bad));
}

class TwoKeys : public Signer {
 protected:
  const merkle::PrivateKey next_ = *merkle::PrivateKey::from_seed(Buffer(32, 'n'));
  const SignerCore both_{{key(), next_}, "hq/gw-1/"};
};

TEST_F(TwoKeys, TheOneThatIsAskedForSigns) {
  const auto verifiers = both_.verifiers(kOrigin);
  ASSERT_EQ(verifiers.size(), 2U);
  for (const merkle::VerifierKey& wanted : verifiers) {
    SignRequest asked = request(5, 9);
    asked.key_id = wanted.id();
    const auto approval = both_.sign(Signed{head(5), kNow}, asked, kNow);
    ASSERT_TRUE(approval);
    const auto note = *merkle::parse_note(approval->note);
    for (const merkle::VerifierKey& key : verifiers) EXPECT_EQ(merkle::check(note, key).is_valid(), key == wanted);
  }
  const auto unasked = both_.sign(Signed{head(5), kNow}, request(5, 9), kNow);
  EXPECT_TRUE(merkle::check(*merkle::parse_note(unasked->note), verifiers[0]).is_valid()) << "the first by default";
}

TEST_F(TwoKeys, AKeyThatIsNotHeldIsRefused) {
  SignRequest asked = request(5, 9);
  asked.key_id = both_.verifiers("hq/gw-1/00000002-00000000")[0].id();
  EXPECT_EQ(refusal(5, asked), Refusal::unknown_key);
}

TEST_F(TwoKeys, RequestsNameAKeyInOneSpelling) {
  SignRequest asked = request(5, 9);
  asked.key_id = 0x0a1b2c3d;
  const Buffer text = asked.encode();
  EXPECT_EQ(SignRequest::parse(text)->key_id, 0x0a1b2c3dU);
  for (const char* bad : {"signer 0A1b2c3d", "signer a1b2c3d", "signer 0a1b2c3d0", "signer ", "sign 0a1b2c3d"}) {
    Buffer changed = text;
    changed.replace(changed.find("signer 0a1b2c3d"), 15, bad);
    EXPECT_FALSE(SignRequest::parse(changed)) << bad;
  }
}

class Service : public Signer {
 protected:
  SignerService open(journal::Disk& disk) {
    auto service = SignerService::open(core_, disk, "/state", [] { return kNow; });
    EXPECT_TRUE(service) << service.error();
    return std::move(*service);
  }
  journal::MemoryDisk disk_;
};

TEST_F(Service, RemembersOverARestart) {
  EXPECT_TRUE(open(disk_).sign(request(0, 5)));
  SignerService service = open(disk_);
  EXPECT_EQ(service.sign(request(0, 9)).error().refused.size, 5U);
  EXPECT_TRUE(service.sign(request(5, 9)));
}

TEST_F(Service, RefusesToStartOnADamagedState) {
  EXPECT_TRUE(open(disk_).sign(request(0, 5)));
  const Buffer good = disk_.contents("/state");
  for (const Buffer& bad : {good.substr(1), good.substr(0, good.size() - 1), good + "x\n", good + "x 1 y z\n"}) {
    disk_.set_contents("/state", bad);
    if (bad == good.substr(1)) continue;  // another origin's line: well-formed
    EXPECT_FALSE(SignerService::open(core_, disk_, "/state", [] { return kNow; }));
  }
}

// No signature leaves before the memory of it is durable: at each point of a power loss, whatever survives.
TEST_F(Service, NeverSignsTwoTreesOfOneSizeAcrossAPowerLoss) {
  ASSERT_TRUE(open(disk_).sign(request(0, 5)));
  SignRequest other = request(5, 9);
  for (std::uint64_t cut = 1; cut < 12; ++cut) {
    auto disk = disk_.after_kill();
    SignerService service = open(*disk);
    disk->cut_power_after(cut);
    const bool is_signed = service.sign(other).has_value();
    for (const bool coin : {false, true}) {
      const auto after = disk->after_power_loss([coin] { return coin; });
      SignerService again = open(*after);
      const auto smaller = again.sign(request(5, 8));
      if (is_signed) {
        EXPECT_FALSE(smaller) << cut;
      }
    }
  }
}

TEST_F(Service, AnswersInText) {
  SignerService service = open(disk_);
  EXPECT_TRUE(service.answer(request(0, 5).encode()).starts_with("signed\nhq/gw-1/"));
  EXPECT_EQ(service.answer(request(0, 9).encode()), "refused conflict 5\n");
  EXPECT_EQ(service.answer("x"), "refused malformed 0\n");
  EXPECT_EQ(service.answer(std::string{"keys "} + kOrigin + "\n"), "keys\n" + core_.verifier(kOrigin).vkey() + "\n");
}

class Process : public Service {
 protected:
  Process() { std::filesystem::create_directories(folder_); }
  ~Process() override { std::filesystem::remove_all(folder_); }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chancery-signer-" + std::to_string(::getpid()));
};

TEST_F(Process, ServesAClientOverAUnixSocket) {
  SignerService service = open(disk_);
  int stop[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, stop), 0);
  const Descriptor ours{stop[0]}, theirs{stop[1]};
  const auto socket = folder_ / "signer";
  std::thread server{[&] { serve_unix(service, socket, theirs.get()); }};
  {
    const auto client = SignerClient::connect(socket, std::chrono::seconds{20});
    std::expected<merkle::VerifierKey, SignFailure> verifier = client->verifier(kOrigin);
    while (!verifier) {  // until it listens
      std::this_thread::yield();
      verifier = client->verifier(kOrigin);
    }
    EXPECT_EQ(*verifier, core_.verifier(kOrigin));
    EXPECT_TRUE(client->sign(request(0, 5)));
    EXPECT_EQ(client->sign(request(0, 9)).error().refused.size, 5U);
    EXPECT_EQ(client->sign(request(5, 9)).has_value(), true);
  }
  EXPECT_EQ(::send(ours.get(), "x", 1, 0), 1);
  server.join();
  EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(Process, SaysWhenNobodyListens) {
  const auto client = SignerClient::connect(folder_ / "nobody", std::chrono::seconds{1});
  const auto note = client->sign(request(0, 5));
  ASSERT_FALSE(note);
  EXPECT_FALSE(note.error().is_refusal);
}

TEST_F(Process, KeepsKeysInPrivateFiles) {
  const auto file = folder_ / "key.pem";
  const auto made = create_private_key(file);
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(load_private_key(file)->public_key(), made->public_key());
  EXPECT_FALSE(create_private_key(file));  // never overwrites
  std::filesystem::permissions(file, std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  EXPECT_FALSE(load_private_key(file));
  const auto sealed = folder_ / "sealed.pem";
  ASSERT_TRUE(create_private_key(sealed, "open sesame"));
  EXPECT_TRUE(load_private_key(sealed, "open sesame"));
  EXPECT_FALSE(load_private_key(sealed, "wrong"));
  EXPECT_FALSE(load_private_key(sealed));
}

TEST_F(Process, RotatesAPrivateKeyBesideTheOldOne) {
  const auto file = folder_ / "signer.key";
  const auto first = create_private_key(file);
  ASSERT_TRUE(first);
  EXPECT_EQ(load_private_keys(file)->size(), 1U);
  const auto next = create_next_key(file);
  ASSERT_TRUE(next) << next.error();
  EXPECT_FALSE(create_next_key(file)) << "one rotation at a time";
  const auto both = load_private_keys(file);
  ASSERT_TRUE(both && both->size() == 2);
  EXPECT_EQ((*both)[0].public_key(), first->public_key());
  EXPECT_EQ((*both)[1].public_key(), next->public_key());
  std::filesystem::create_hard_link(file, folder_ / "watched");
  ASSERT_TRUE(retire_private_key(file));
  EXPECT_EQ(load_private_key(file)->public_key(), next->public_key());
  EXPECT_FALSE(std::filesystem::exists(next_key_file(file)));
  EXPECT_FALSE(load_private_key(folder_ / "watched")) << "the old one's octets are gone";
  EXPECT_FALSE(retire_private_key(file)) << "there is no next one";
  EXPECT_TRUE(load_private_key(file));
}

}  // namespace
}  // namespace chancery::seal
