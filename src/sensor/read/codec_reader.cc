#include "sensor/read/codec_reader.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>

namespace chancery::sensor {
namespace {

// Whether what a mechanism sends shows the secret to an onlooker (RFC 4616, RFC 7628, XEP-0078, PASS).
bool shows_secret(std::string_view mechanism) {
  constexpr std::array<std::string_view, 8> kHides{"SCRAM",     "DIGEST", "CRAM",   "EXTERNAL",
                                                   "ANONYMOUS", "GSS",    "cookie", "challenge"};
  return std::ranges::none_of(kHides, [&](std::string_view name) { return mechanism.find(name) != mechanism.npos; });
}

// In these a password is seen only as a hash of a challenge, unless the codec says otherwise ("roasted password").
// Where the octets that would tell are lost, the usual is true.
bool usually_hashes(std::string_view protocol) {
  constexpr std::array<std::string_view, 5> kHashing{"oscar", "msnp", "ymsg", "gadu-gadu", "sip"};
  return std::ranges::find(kHashing, protocol) != kHashing.end();
}

// What a service gives out for one connection, after a sign-in that was judged by itself: nobody's password.
bool is_one_time(std::string_view what) { return what == "cookie" || what == "ticket" || what == "switchboard-key"; }

class CodecReader final : public FlowReader {
 public:
  CodecReader(Reading& reading, const FlowView& flow, const Protocol& protocol)
      : reading_(reading), flow_(flow), protocol_(protocol.name) {
    Start start;
    start.mode = flow.midstream ? Start::Mode::midstream : Start::Mode::fresh;
    start.passive = true;
    codec_ = protocol.make(reading.options().limits, start);
  }

  // A sign-in whose answer was not seen.
  ~CodecReader() override {
    if (!pending_.empty() && pending_shows_) reading_.credential(flow_, protocol_, user_, pending_, pending_time_);
  }
  CodecReader(const CodecReader&) = delete;
  CodecReader& operator=(const CodecReader&) = delete;

  bool octets(Side from, Bytes octets, Instant time) override {
    Half& half = halves_[static_cast<std::size_t>(from)];
    if (half.dead) return !both_dead();
    if (flow_.boundary == Boundary::datagram && is_again(octets, time)) return true;
    last_ = time;
    std::vector<Unit>& units = reading_.units();
    const std::error_code error = codec_->feed(from, octets, time, flow_.boundary, units);
    bool encrypted = false;
    for (const Unit& unit : units) encrypted |= read(unit, time);
    units.clear();
    if (error) {
      half.dead = ++half.errors > kResumptionsMax;
      codec_->gap(from, 0);
    }
    if (encrypted) pending_.clear();
    return !encrypted && !both_dead();
  }

  void lost(Side from, std::uint32_t count) override { codec_->gap(from, count); }

  void finished(Side from) override {
    std::vector<Unit>& units = reading_.units();
    (void)codec_->finish(from, units);
    for (const Unit& unit : units) (void)read(unit, last_);
    units.clear();
  }

  std::size_t memory() const override { return sizeof *this + codec_->memory(); }

 private:
  struct Half {
    int errors = 0;
    bool dead = false;
  };
  bool both_dead() const { return halves_[0].dead && halves_[1].dead; }

  // The same datagram again, octet for octet, was sent or captured again: RPC calls and SIP requests are numbered.
  bool is_again(Bytes octets, Instant time) {
    const std::size_t hash = std::hash<Bytes>{}(octets);
    for (const Datagram& each : datagrams_)
      if (each.hash == hash && each.size == octets.size() && time - each.time < kAgain) return true;
    datagrams_[next_datagram_++ % datagrams_.size()] = {hash, octets.size(), time};
    return false;
  }

  // True: what follows is encrypted, and nothing more will be read.
  bool read(const Unit& unit, Instant time) {
    for (const Secret& secret : unit.secrets) note_secret(secret, unit, time);
    bool encrypted = false;
    reading_.begin_unit();
    for (const Event& event : unit.events) {
      reading_.event(flow_, protocol_, event, unit, time);
      if (event.kind == Kind::sign_in) sign_in(event, time);
      encrypted |= event.kind == Kind::opaque && event.scope == Scope::network && event.detail.starts_with("STARTTLS");
    }
    return encrypted;
  }

  // Whose secret it is, and by which mechanism, is known when the server has answered.
  void note_secret(const Secret& secret, const Unit& unit, Instant time) {
    if (is_one_time(secret.what)) return;
    if (secret.what == "nickserv" && unit.from == Side::server) return;  // says back what the client told: told already
    if (secret.what == "sasl" || secret.what == "pass" || secret.what == "password") {
      pending_ = secret.what;
      pending_shows_ = secret.what == "sasl" ? unit.wire.find("PLAIN") != unit.wire.npos : !usually_hashes(protocol_);
      pending_time_ = time;
      return;
    }
    const std::string_view user = !unit.events.empty() && unit.from == Side::client
                                      ? std::string_view{unit.events[0].from}
                                      : std::string_view{user_};
    reading_.credential(flow_, protocol_, user, secret.what, time);
  }

  void sign_in(const Event& event, Instant time) {
    if (!event.from.empty()) user_ = event.from;
    if (pending_.empty()) return;
    if (event.detail.empty() ? !usually_hashes(protocol_) : shows_secret(event.detail)) {
      const bool says_more = !event.detail.empty() && event.detail != "PASS";
      const std::string what = says_more ? pending_ + " " + event.detail : pending_;
      reading_.credential(flow_, protocol_, user_, what, pending_time_ == Instant{} ? time : pending_time_);
    }
    pending_.clear();
  }

  struct Datagram {
    std::size_t hash = 0, size = 0;
    Instant time;
  };
  static constexpr Duration kAgain = std::chrono::seconds{32};  // RFC 3261 §17.1.2.2: timer F

  Reading& reading_;
  const FlowView flow_;
  const std::string_view protocol_;
  std::unique_ptr<Codec> codec_;
  std::array<Datagram, 8> datagrams_;  // the last ones
  std::size_t next_datagram_ = 0;
  std::array<Half, 2> halves_;
  std::string user_;     // who is signed in
  std::string pending_;  // the kind of a secret whose sign-in has no answer yet
  bool pending_shows_ = false;
  Instant pending_time_;
  Instant last_;  // of what was read last
};

}  // namespace

std::unique_ptr<FlowReader> make_codec_reader(Reading& reading, const FlowView& flow, const Protocol& protocol) {
  return std::make_unique<CodecReader>(reading, flow, protocol);
}

}  // namespace chancery::sensor
