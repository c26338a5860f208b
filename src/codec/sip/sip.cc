#include "codec/sip/sip.h"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "codec/sip/cpim.h"
#include "codec/sip/message.h"
#include "codec/wire/charset.h"
#include "codec/wire/watched.h"

namespace chancery::sip {
namespace {

constexpr std::size_t kRemembered = 64;  // requests by which one sent again is known (RFC 3261 §17.1.2.2)

class SipCodec final : public WatchedCodec {
 public:
  SipCodec(const Limits& limits, const Start& start) : WatchedCodec(kFraming, limits, start) {}

 private:
  void read(Unit& unit, Instant /*now*/) override {
    const Message message = parse_message(unit.wire);
    hide_credentials(unit, message);
    if (message.method() == "MESSAGE") return read_text(unit, message);
    if (message.status() != 0) read_registration(unit, message);
  }

  void hide_credentials(Unit& unit, const Message& message) {
    for (const std::string_view name : {"Authorization", "Proxy-Authorization"}) {
      const Bytes value = message.field(name);
      const Bytes scheme = value.substr(0, value.find(' '));
      if (value.size() <= scheme.size()) continue;
      add_secret(unit, value.substr(scheme.size() + 1), "password");
      mechanism_ = same_word(scheme, "Digest") ? "DIGEST" : from_unstated(scheme);
    }
  }

  // RFC 3428. What is no text (is-composing, a message's disposition) is no event.
  void read_text(Unit& unit, const Message& message) {
    const auto content = read_content(message.field("Content-Type", "c"), message.body);
    if (!content) return;
    Event& event = unit.events.emplace_back();
    event.from = address_of(message.field("From", "f"));
    event.to = {address_of(message.field("To", "t"))};
    event.id = from_unstated(message.field("Call-ID", "i"));
    if (content->cpim) {
      if (!content->cpim->from.empty()) event.from = content->cpim->from;
      if (!content->cpim->to.empty()) event.to = {content->cpim->to};
      event.stated_time = content->cpim->time;
    }
    event.texts.push_back(text_part(unit, content->source, content->text));
    if (!content->html.empty())
      event.texts.push_back(text_part(unit, content->source, content->html, TextPart::Role::xhtml));
    if (was_seen(message)) event.copy = Copy::resend;
  }

  // Without an answer a request is sent again: the same transaction, the same request.
  bool was_seen(const Message& message) {
    const std::size_t key = std::hash<std::string_view>{}(
        fmt::format("{}\n{}\n{}", message.field("Call-ID", "i"), message.field("CSeq"), message.field("Via", "v")));
    if (std::ranges::find(seen_, key) != seen_.end()) return true;
    seen_.push_back(key);
    if (seen_.size() > kRemembered) seen_.pop_front();
    return false;
  }

  // The answer to REGISTER. 401 and 407 only ask for credentials; without a contact it was a signing-off.
  void read_registration(Unit& unit, const Message& message) {
    const int status = message.status();
    if (!message.field("CSeq").ends_with("REGISTER") || status == 401 || status == 407 || status < 200) return;
    const bool accepted = status < 300;
    if (accepted && message.field("Contact", "m").empty()) return;
    Event& event = unit.events.emplace_back();
    event.kind = Kind::sign_in;
    event.scope = Scope::network;
    event.from = address_of(message.field("To", "t"));
    event.accepted = accepted;
    event.detail = accepted ? mechanism_ : fmt::format("error {}", status);
  }

  std::size_t state_memory() const override { return seen_.size() * sizeof(std::size_t); }

  std::deque<std::size_t> seen_;
  std::string mechanism_;  // of the credentials last shown
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<SipCodec>(limits, start);
}

Likeness probe(Side from, Bytes octets) { return probe_frames(kFraming, from, octets); }

constexpr std::array<std::uint16_t, 1> kPorts{5060};

}  // namespace

const Protocol kProtocol{"sip", kPorts, probe, make, nullptr, false};

}  // namespace chancery::sip
