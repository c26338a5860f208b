// The rules of C2SP tlog-witness, "add-checkpoint", each by its own words; and the whole over real sockets.
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "archive/witness/witness_core.h"
#include "archive/witness/witness_http.h"
#include "core/encoding.h"
#include "journal/memory_disk.h"
#include "merkle/reference_tree.h"

namespace chancery::witness {
namespace {

using merkle::AddCheckpoint, merkle::Proof;
namespace reference = merkle::reference;

const merkle::SigningKey kKey{"w.example/1", merkle::KeyType::cosignature,
                              *merkle::PrivateKey::from_seed(Buffer(32, 'w'))};
const merkle::SigningKey kLog{"demo/gw/1", merkle::KeyType::ed25519, *merkle::PrivateKey::from_seed(Buffer(32, 'l'))};

class Witness : public ::testing::Test {
 protected:
  Hash root(std::uint64_t size) const { return reference::mth(reference::Leaves{leaves_}.first(size)); }
  Buffer note(std::uint64_t size, const merkle::SigningKey& key = kLog, const std::string& origin = "demo/gw/1") const {
    const Buffer text = merkle::Checkpoint{origin, {size, root(size)}, {}}.text();
    return merkle::Note{text, {key.sign(text)}}.encode();
  }
  Proof proof(std::uint64_t from, std::uint64_t to) const {
    return *merkle::make_consistency_proof(from, to, reference::nodes(leaves_));
  }
  AddCheckpoint request(std::uint64_t from, std::uint64_t to) const { return {from, proof(from, to), note(to)}; }
  WatchedLog log(std::uint64_t size) const {
    WatchedLog log{"demo/gw/1", {kLog.verifier()}, {}, {}};
    if (size != 0) log.last = merkle::TreeHead{size, root(size)};
    return log;
  }
  unsigned status(const AddCheckpoint& asked, std::uint64_t known) const {
    const WatchedLog watched = log(known);
    const Answer answer = decide(asked, &watched, kKey, 7);
    EXPECT_EQ(answer.remember.has_value(), answer.status == 200);
    return answer.status;
  }

  std::vector<std::string> leaves_ = reference::leaves(40);
};

TEST_F(Witness, CosignsAndRemembersWhatFollows) {
  const WatchedLog watched = log(5);
  const Answer answer = decide(request(5, 9), &watched, kKey, 1'700'000'000);
  ASSERT_EQ(answer.status, 200U);
  const auto signatures = merkle::parse_signatures(answer.body);
  ASSERT_TRUE(signatures);
  const merkle::Checked checked = merkle::check({merkle::parse_note(note(9))->text, *signatures}, kKey.verifier());
  EXPECT_TRUE(checked.is_valid());
  EXPECT_EQ(checked.time_s, 1'700'000'000U);
  EXPECT_EQ(answer.remember->last, (merkle::TreeHead{9, root(9)}));
  EXPECT_EQ(answer.remember->checkpoint, note(9) + answer.body);
}

TEST_F(Witness, BeginsWithAnySizeAndAnEmptyProof) {
  EXPECT_EQ(status({0, {}, note(9)}, 0), 200U);
  EXPECT_EQ(status({0, {}, note(0)}, 0), 200U);
  EXPECT_EQ(status({0, {root(1)}, note(9)}, 0), 422U);
}

TEST_F(Witness, CosignsTheSameHeadAgain) { EXPECT_EQ(status(request(9, 9), 9), 200U); }

TEST_F(Witness, Answers404ForAnUnknownOrigin) {
  EXPECT_EQ(decide(request(0, 5), nullptr, kKey, 7).status, 404U);
  EXPECT_EQ(status({0, {}, note(5, kLog, "other")}, 0), 404U);
}

TEST_F(Witness, Answers403ForAMissingOrWrongSignature) {
  const merkle::SigningKey stranger{"demo/gw/1", merkle::KeyType::ed25519,
                                    *merkle::PrivateKey::from_seed(Buffer(32, 'x'))};
  EXPECT_EQ(status({0, {}, note(5, stranger)}, 0), 403U);
  merkle::Note forged = *merkle::parse_note(note(5));
  forged.signatures.push_back(kLog.sign("other\n"));  // the same key, valid once and once not
  EXPECT_EQ(status({0, {}, forged.encode()}, 0), 403U);
}

TEST_F(Witness, Answers400ForAnOldSizeAboveTheCheckpoints) { EXPECT_EQ(status({9, {}, note(5)}, 9), 400U); }

TEST_F(Witness, Answers409WithTheKnownSize) {
  const WatchedLog watched = log(7);
  const Answer answer = decide(request(5, 9), &watched, kKey, 7);
  EXPECT_EQ(answer.status, 409U);
  EXPECT_EQ(answer.body, "7\n");
  EXPECT_EQ(answer.content_type, "text/x.tlog.size");
  EXPECT_EQ(status(request(5, 9), 0), 409U);
}

TEST_F(Witness, Answers422ForAForkOrAWrongProof) {
  AddCheckpoint asked = request(5, 9);
  asked.proof.front()[0] ^= 1;
  EXPECT_EQ(status(asked, 5), 422U);
  WatchedLog other = log(5);
  other.last->root[0] ^= 1;
  EXPECT_EQ(decide(request(5, 9), &other, kKey, 7).status, 422U);
  EXPECT_EQ(decide(request(5, 5), &other, kKey, 7).status, 422U);
}

class Service : public Witness {
 protected:
  Service() {
    disk_.make_directory("/w");
    disk_.sync_directory("/");
  }
  WitnessService open(journal::Disk& disk) {
    auto service = WitnessService::open(disk, "/w", kKey, [this] { return now_; });
    EXPECT_TRUE(service) << service.error();
    return std::move(*service);
  }
  journal::MemoryDisk disk_;
  Instant now_ = from_unix_ns(1'700'000'000'000'000'000);
};

TEST_F(Service, TakesUpALogThatAnotherProcessAddedWhileItRuns) {
  WitnessService running = open(disk_);
  const Answer before = running.add_checkpoint(request(0, 5).encode());
  EXPECT_EQ(before.status, 404U);
  EXPECT_EQ(before.body,
            "this witness does not watch the log demo/gw/1; its operator adds it with `chancery witness "
            "add-log`\n");
  ASSERT_TRUE(WitnessService::leave(disk_, "/w", "1", {kLog.verifier()}));
  EXPECT_EQ(running.add_checkpoint(request(0, 5).encode()).status, 404U) << "it looks once a second";
  now_ += std::chrono::seconds{1};
  EXPECT_EQ(running.add_checkpoint(request(0, 5).encode()).status, 200U);
  EXPECT_FALSE(disk_.exists("/w/1.add").value());
  EXPECT_EQ(open(disk_).add_checkpoint(request(5, 9).encode()).status, 200U) << "and it is durable";
}

TEST_F(Service, TakesUpAnotherKeyOfALogWithoutForgettingWhatItCosigned) {
  WitnessService running = open(disk_);
  ASSERT_TRUE(running.watch(kLog.verifier()));
  EXPECT_EQ(running.add_checkpoint(request(0, 5).encode()).status, 200U);
  const merkle::SigningKey next{"demo/gw/1", merkle::KeyType::ed25519, *merkle::PrivateKey::from_seed(Buffer(32, 'n'))};
  const AddCheckpoint asked{5, proof(5, 9), note(9, next)};
  EXPECT_EQ(running.add_checkpoint(asked.encode()).status, 403U);
  ASSERT_TRUE(WitnessService::leave(disk_, "/w", "2", {kLog.verifier(), next.verifier()}));
  EXPECT_EQ(open(disk_).logs().at("demo/gw/1").keys.size(), 2U) << "`show` sees what is asked for";
  EXPECT_EQ(running.settle(), 1U);
  EXPECT_EQ(running.add_checkpoint(asked.encode()).status, 200U);
}

TEST_F(Service, RefusesToBeAskedForWhatIsNoLog) {
  EXPECT_FALSE(WitnessService::leave(disk_, "/w", "1", {kKey.verifier()}));
}

TEST_F(Service, CountsItsAnswersForPrometheus) {
  WitnessService service = open(disk_);
  ASSERT_TRUE(service.watch(kLog.verifier()));
  service.add_checkpoint(request(0, 5).encode());
  service.add_checkpoint(request(0, 5).encode());
  const std::string text = service.metrics();
  EXPECT_NE(text.find("chancery_witness_requests_total{status=\"200\"} 1\n"), text.npos) << text;
  EXPECT_NE(text.find("chancery_witness_requests_total{status=\"409\"} 1\n"), text.npos) << text;
  EXPECT_NE(text.find("chancery_witness_log_size{log=\"demo/gw/1\"} 5\n"), text.npos) << text;
}

TEST_F(Service, KeepsItsStateOverARestart) {
  {
    WitnessService service = open(disk_);
    ASSERT_TRUE(service.watch(kLog.verifier()));
    EXPECT_EQ(service.add_checkpoint(request(0, 5).encode()).status, 200U);
  }
  WitnessService service = open(disk_);
  EXPECT_EQ(service.add_checkpoint(request(0, 9).encode()).status, 409U);
  EXPECT_EQ(service.add_checkpoint(request(5, 9).encode()).status, 200U);
  const std::string name = to_hex(bytes_of(merkle::sha256("demo/gw/1")));
  EXPECT_TRUE(service.checkpoint(name).body.starts_with(note(9)));
  EXPECT_EQ(service.checkpoint("00").body, "this witness does not watch a log of that origin\n");
}

TEST_F(Service, HasPersistedBeforeItAnswersWhateverFails) {
  WitnessService first = open(disk_);
  ASSERT_TRUE(first.watch(kLog.verifier()));
  for (std::uint64_t cut = 1; cut < 12; ++cut) {
    auto disk = disk_.after_kill();
    WitnessService service = open(*disk);
    disk->cut_power_after(cut);
    const bool is_answered = service.add_checkpoint(request(0, 5).encode()).status == 200;
    for (const bool coin : {false, true}) {
      const auto after = disk->after_power_loss([coin] { return coin; });
      WitnessService again = open(*after);
      const unsigned status = again.add_checkpoint(request(0, 9).encode()).status;
      if (is_answered) {
        EXPECT_EQ(status, 409U) << cut;
      }
    }
  }
}

TEST_F(Service, RefusesADamagedState) {
  open(disk_).watch(kLog.verifier());
  const std::string file = "/w/" + to_hex(bytes_of(merkle::sha256("demo/gw/1"))) + ".log";
  disk_.set_contents(file, disk_.contents(file) + "garbage");
  EXPECT_FALSE(WitnessService::open(disk_, "/w", kKey, [] { return Instant{}; }));
}

TEST_F(Service, AnswersOverHttp) {
  WitnessService service = open(disk_);
  ASSERT_TRUE(service.watch(kLog.verifier()));
  WitnessServer server{service, "127.0.0.1", 0};
  server.serve_metrics("127.0.0.1", 0);
  std::thread thread{[&] { server.run(); }};
  const Url url = *Url::parse("http://127.0.0.1:" + std::to_string(server.port()));
  HttpCosigner cosigner{url, kKey.verifier(), std::chrono::seconds{20}};
  EXPECT_EQ(cosigner.add_checkpoint(request(5, 9)).error().conflict, 0U);
  const auto signatures = cosigner.add_checkpoint(request(0, 9));
  EXPECT_TRUE(signatures);
  EXPECT_FALSE(cosigner.add_checkpoint({9, {}, "x"}));
  const std::string path = "/" + to_hex(bytes_of(merkle::sha256("demo/gw/1"))) + "/checkpoint";
  const auto held = exchange(url, false, path, "", std::chrono::seconds{20});
  EXPECT_TRUE(held && held->status == 200 && held->body.starts_with(note(9)));
  EXPECT_EQ(exchange(url, false, "/add-checkpoint", "", std::chrono::seconds{20})->status, 405U);
  EXPECT_EQ(exchange(url, true, "/x", "", std::chrono::seconds{20})->status, 404U);
  const auto huge = exchange(url, true, "/add-checkpoint", Buffer(kRequestSizeMax + 1, 'x'), std::chrono::seconds{20});
  EXPECT_TRUE(!huge || huge->status != 200);
  const Url metrics = *Url::parse("http://127.0.0.1:" + std::to_string(server.metrics_port()));
  const auto counts = exchange(metrics, false, "/metrics", "", std::chrono::seconds{20});
  EXPECT_TRUE(counts && counts->body.find("chancery_witness_logs 1\n") != std::string::npos);
  EXPECT_EQ(exchange(metrics, true, "/add-checkpoint", "", std::chrono::seconds{20})->status, 404U);
  EXPECT_EQ(exchange(url, false, "/metrics", "", std::chrono::seconds{20})->status, 404U) << "not for everybody";
  server.stop();
  thread.join();
}

// A TLS server with a certificate of its own authority, as a proxy before a witness would be.
class TlsWitness : public Service {
 protected:
  TlsWitness() {
    std::string name = (std::filesystem::temp_directory_path() / "chancery-witness-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    for (const char* of : {"w", "other"}) {
      const std::string command =
          "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=w -days 2 -addext "
          "subjectAltName=IP:127.0.0.1 -keyout " +
          (folder_ / of).string() + ".key -out " + (folder_ / of).string() + ".pem 2>/dev/null";
      EXPECT_EQ(std::system(command.c_str()), 0);
    }
  }
  ~TlsWitness() override { std::filesystem::remove_all(folder_); }

  // Answers one connection.
  void serve(WitnessService& service) {
    namespace http = boost::beast::http;
    boost::asio::ip::tcp::socket socket{context_};
    acceptor_.accept(socket);
    boost::asio::ssl::context tls{boost::asio::ssl::context::tls_server};
    tls.use_certificate_chain_file((folder_ / "w.pem").string());
    tls.use_private_key_file((folder_ / "w.key").string(), boost::asio::ssl::context::pem);
    boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream{std::move(socket), tls};
    boost::system::error_code error;
    stream.handshake(boost::asio::ssl::stream_base::server, error);
    if (error) return;
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::read(stream, buffer, request, error);
    if (error) return;
    const Answer answer = service.add_checkpoint(request.body());
    http::response<http::string_body> response{static_cast<http::status>(answer.status), request.version()};
    response.body() = answer.body;
    response.prepare_payload();
    http::write(stream, response, error);
  }
  std::expected<std::vector<merkle::NoteSignature>, seal::CosignFailure> ask(const char* ca) {
    WitnessService service = open(disk_);
    EXPECT_TRUE(service.watch(kLog.verifier()));
    std::thread thread{[&] { serve(service); }};
    Url url = *Url::parse("https://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()));
    url.ca = folder_ / ca;
    HttpCosigner cosigner{url, kKey.verifier(), std::chrono::seconds{20}};
    auto answer = cosigner.add_checkpoint(request(0, 9));
    thread.join();
    return answer;
  }

  std::filesystem::path folder_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_{context_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
};

TEST_F(TlsWitness, IsAskedWhenItsCertificateLeadsToTheGivenAuthority) { EXPECT_TRUE(ask("w.pem")); }

TEST_F(TlsWitness, IsNotAskedWhenItsCertificateDoesNot) {
  const auto answer = ask("other.pem");
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().what.find("certificate"), std::string::npos) << answer.error().what;
}

TEST(WitnessUrl, IsHttpWithHostPortAndPrefix) {
  EXPECT_EQ(Url::parse("http://w.example")->port, "80");
  EXPECT_EQ(Url::parse("http://w.example:8480/a/")->prefix, "/a");
  EXPECT_EQ(Url::parse("http://[::1]:8480")->host, "::1");
  EXPECT_EQ(Url::parse("https://w.example")->port, "443");
  EXPECT_TRUE(Url::parse("https://w.example:8443/a")->is_tls);
  EXPECT_FALSE(Url::parse("http://w.example")->is_tls);
  for (const char* bad : {"", "w.example", "ftp://w.example", "http://", "http://:80", "http://w:0", "http://w:x",
                          "http://a@b", "http://w:65536"})
    EXPECT_FALSE(Url::parse(bad)) << bad;
}

}  // namespace
}  // namespace chancery::witness
