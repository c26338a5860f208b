#pragma once
// Test helper: one codec, driven as a gateway would, with what it says written as text:
// "C:<octets>" and "S:<octets>" for sends, "[tls C]", "[close S]", and "error <message>" for an error of feed().
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "codec/xmpp/xmpp.h"

namespace chancery::xmpp {

inline constexpr const char* kHeader =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='im.test' version='1.0'>";
inline constexpr const char* kServerHeader =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>";
inline constexpr const char* kOffer =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
    "</stream:features>";
inline constexpr const char* kStartTlsOffer =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
inline constexpr const char* kStartTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
inline constexpr const char* kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
inline constexpr const char* kAuth =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>";
inline constexpr const char* kSuccess = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
inline constexpr const char* kBindOffer =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";
inline constexpr const char* kBind = "<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
inline constexpr const char* kBound =
    "<iq type='result' id='b1'><bind "
    "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@im.test/desk</jid></bind></iq>";
inline constexpr const char* kHello = "<message to='bob@im.test' type='chat' id='m1'><body>hello</body></message>";
inline constexpr const char* kHelloBack =
    "<message from='bob@im.test/x' to='alice@im.test/desk' type='chat' id='m2'><body>hello</body></message>";

inline Start start_with(Start::Tls client_tls, Start::Tls server_tls) {
  Start start;
  start.client_tls = client_tls;
  start.server_tls = server_tls;
  start.client_host = "im.test";
  start.nonce = "0123456789abcdef0123456789abcdef";
  return start;
}

class Bed {
 public:
  explicit Bed(const Start& start = {}, const Limits& limits = {})
      : start_(start), limits_(limits), codec_(kProtocol.make(limits_, start_)) {}

  // Empty: forward all.
  std::function<Decision(const Event&)> decide;

  std::string feed(Side from, std::string_view octets) {
    std::vector<Unit> units;
    const std::error_code error = codec_->feed(from, octets, {}, Boundary::stream, units);
    std::string said = release(units);
    if (error) said += "error " + error.message();
    return said;
  }

  std::string release(std::vector<Unit>& units) {
    for (Unit& unit : units) {
      std::vector<Decision> decisions;
      for (const Event& event : unit.events) {
        decisions.push_back(decide ? decide(event) : Decision{});
        last_event_ = event;
      }
      codec_->release(std::move(unit), decisions, out_);
    }
    return said();
  }

  std::string end(Codec::Ending why, CodecError error) {
    codec_->end(why, make_error_code(error), out_);
    return said();
  }

  // From the first opening tag to the bound address; what was said last.
  std::string sign_in() {
    authenticate();
    return bind();
  }

  // Up to SASL's success. `plain`: the message of the mechanism PLAIN, by default alice's.
  void authenticate(std::string_view plain = "AGFsaWNlAHNlY3JldA==") {
    if (start_.client_tls == Start::Tls::starttls) {
      feed(Side::client, kHeader);
      feed(Side::client, kStartTls);
    }
    feed(Side::client, kHeader);
    if (start_.server_tls == Start::Tls::starttls) {
      feed(Side::server, kServerHeader);
      feed(Side::server, kStartTlsOffer);
      feed(Side::server, kProceed);
    }
    feed(Side::server, kServerHeader);
    feed(Side::server, kOffer);
    std::string auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>";
    feed(Side::client, auth.append(plain).append("</auth>"));
    feed(Side::server, kSuccess);
  }

  std::string open_again() {
    feed(Side::client, kHeader);
    feed(Side::server, kServerHeader);
    return feed(Side::server, kBindOffer);
  }

  std::string bind() {
    open_again();
    feed(Side::client, kBind);
    return feed(Side::server, kBound);
  }

  Codec& codec() { return *codec_; }
  Outbox& outbox() { return out_; }
  const Event& last_event() const { return last_event_; }
  const std::string& identified() const { return identified_; }
  const std::string& session_key() const { return session_key_; }
  const std::string& resumed() const { return resumed_; }
  bool tls_started(Side side) const { return tls_[static_cast<std::size_t>(side)]; }

  // What was said since the last time.
  std::string said() {
    std::string text;
    for (const Step& step : out_.steps()) {
      const std::string side = step.side == Side::client ? "C" : "S";
      switch (step.what) {
        case Step::What::send:
          text += side + ":" + step.octets;
          break;
        case Step::What::start_tls:
          text += "[tls " + side + "]";
          tls_[static_cast<std::size_t>(step.side)] = true;
          break;
        case Step::What::close:
          text += "[close " + side + "]";
          break;
        case Step::What::identified:
          identified_ = step.octets;
          break;
        case Step::What::resumed:
          resumed_ = step.octets;
          break;
        case Step::What::session_key:
          session_key_ = step.octets;
          break;
      }
    }
    out_.clear();
    return text;
  }

 private:
  Start start_;
  Limits limits_;
  std::unique_ptr<Codec> codec_;
  Outbox out_;
  Event last_event_;
  std::string identified_;
  std::string session_key_;
  std::string resumed_;
  std::array<bool, 2> tls_{};
};

}  // namespace chancery::xmpp
