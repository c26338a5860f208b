#include "codec/gadu/gadu.h"

#include <array>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <utility>

#include "codec/gadu/packet.h"
#include "codec/gadu/protobuf.h"
#include "codec/wire/charset.h"
#include "codec/wire/markup.h"
#include "codec/wire/octets.h"
#include "codec/wire/watched.h"
#include "core/utf8.h"

namespace chancery::gadu {
namespace {

std::string number_text(std::uint32_t number) { return fmt::format("{}", number & 0x3fffffff); }

// A number in protobuf: a zero, a length and digits.
std::string digits_of(Bytes field) {
  Octets in{field};
  in.u8();
  const std::string digits{in.take(in.u8())};
  return digits.find_first_not_of("0123456789") == std::string::npos ? digits : std::string{};
}

Bytes up_to_zero(Bytes octets) { return octets.substr(0, octets.find('\0')); }

class GaduCodec final : public WatchedCodec {
 public:
  GaduCodec(const Limits& limits, const Start& start) : WatchedCodec(kFraming, limits, start) {}

 private:
  void read(Unit& unit, Instant /*now*/) override {
    if (unit.wire.size() < kHeaderSize) return;
    if (unit.from == Side::client)
      read_client(unit, static_cast<FromClient>(type_of(unit.wire)), body_of(unit.wire));
    else
      read_server(unit, static_cast<FromServer>(type_of(unit.wire)), body_of(unit.wire));
  }

  void read_client(Unit& unit, FromClient type, Bytes body) {
    switch (type) {
      case FromClient::login:
      case FromClient::login_ext:
      case FromClient::login60:
        return login(unit, body, 4, 4);
      case FromClient::login70:
        return login(unit, body, 5, 64);
      case FromClient::login80:
        return login(unit, body, 7, 64);
      case FromClient::login105:
        return login_protobuf(unit, body);
      case FromClient::send_msg:
        return sent(unit, body);
      case FromClient::send_msg80:
        return sent80(unit, body);
      case FromClient::send_msg110:
        return protobuf_message(unit, body, false);
    }
  }

  void read_server(Unit& unit, FromServer type, Bytes body) {
    switch (type) {
      case FromServer::welcome:
        return;
      case FromServer::login_ok:
      case FromServer::login80_ok:
      case FromServer::login110_ok:
        return sign_in(unit, true);
      case FromServer::login_failed:
      case FromServer::login80_failed:
        return sign_in(unit, false);
      case FromServer::recv_msg:
        return received(unit, body);
      case FromServer::recv_msg80:
        return received80(unit, body);
      case FromServer::recv_own_msg110:
        return protobuf_message(unit, body, false, Copy::carbon);
      case FromServer::recv_msg110:
        return protobuf_message(unit, body, true);
    }
  }

  void login(Unit& unit, Bytes body, std::size_t hash_at, std::size_t hash_size) {
    Octets in{body};
    const std::uint32_t number = in.u32_le();
    if (!in.ok()) return;
    name_ = number_text(number);
    if (body.size() >= hash_at + hash_size) add_secret(unit, body.substr(hash_at, hash_size), "password");
  }

  void login_protobuf(Unit& unit, Bytes body) {
    constexpr std::uint32_t kNumber = 2;
    constexpr std::uint32_t kHash = 3;
    if (const auto number = find_octets(body, kNumber)) name_ = digits_of(*number);
    if (const auto hash = find_octets(body, kHash)) add_secret(unit, *hash, "password");
  }

  void sign_in(Unit& unit, bool accepted) {
    if (signed_in_ || name_.empty()) return;
    signed_in_ = accepted;
    Event& event = unit.events.emplace_back();
    event.kind = Kind::sign_in;
    event.scope = Scope::network;
    event.from = name_;
    event.accepted = accepted;
    event.detail = "hash of a challenge";
  }

  Event& add(Unit& unit, std::string from, std::string to) {
    Event& event = unit.events.emplace_back();
    event.from = std::move(from);
    if (!to.empty()) event.to = {std::move(to)};
    return event;
  }

  // Up to version 7: text in Windows-1250, ended by a zero; what follows is formatting and further receivers.
  void sent(Unit& unit, Bytes body) {
    Octets in{body};
    const std::uint32_t receiver = in.u32_le();
    in.u32_le();
    in.u32_le();
    const Bytes text = up_to_zero(in.rest());
    if (!text.empty()) old_text(unit, add(unit, name_, number_text(receiver)), text);
  }

  void received(Unit& unit, Bytes body) {
    Octets in{body};
    const std::uint32_t sender = in.u32_le();
    in.u32_le();
    const std::uint32_t time = in.u32_le();
    in.u32_le();
    const Bytes text = up_to_zero(in.rest());
    if (text.empty()) return;
    Event& event = add(unit, number_text(sender), name_);
    stamp(event, time);
    old_text(unit, event, text);
  }

  static void old_text(const Unit& unit, Event& event, Bytes text) {
    event.texts.push_back(text_part(unit, text, from_windows_1250(text)));
  }

  static void stamp(Event& event, std::uint32_t time) {
    if (time != 0) event.stated_time = Instant{std::chrono::seconds{time}};
  }

  // Versions 8 and 10: HTML in UTF-8, then at an offset the same in Windows-1250, then formatting.
  void sent80(Unit& unit, Bytes body) {
    Octets in{body};
    const std::uint32_t receiver = in.u32_le();
    in.u32_le();
    in.u32_le();
    const Texts texts = take_texts(in, body);
    if (in.ok()) add_texts(unit, add(unit, name_, number_text(receiver)), texts);
  }

  void received80(Unit& unit, Bytes body) {
    Octets in{body};
    const std::uint32_t sender = in.u32_le();
    in.u32_le();
    const std::uint32_t time = in.u32_le();
    in.u32_le();
    const Texts texts = take_texts(in, body);
    if (!in.ok()) return;
    Event& event = add(unit, number_text(sender), name_);
    stamp(event, time);
    add_texts(unit, event, texts);
  }

  struct Texts {
    Bytes html;
    Bytes plain;
  };

  // `in` stands at the two offsets; what follows them is the HTML, up to the plain text.
  static Texts take_texts(Octets& in, Bytes body) {
    const std::size_t plain = in.u32_le();
    in.u32_le();  // of the formatting
    if (!in.ok() || plain < in.at() || plain > body.size()) return {};
    return {up_to_zero(body.substr(in.at(), plain - in.at())), up_to_zero(body.substr(plain))};
  }

  static void add_texts(const Unit& unit, Event& event, const Texts& texts) {
    if (texts.html.empty()) return old_text(unit, event, texts.plain);
    std::string written = to_utf8_lossy(texts.html);
    event.texts.push_back(text_part(unit, texts.html, html_to_text(written)));
    event.texts.push_back(text_part(unit, texts.html, std::move(written), TextPart::Role::xhtml));
  }

  // Version 11: 1 the other's number, 4 the time, 5 the text, 6 the HTML.
  void protobuf_message(Unit& unit, Bytes body, bool received, Copy copy = Copy::none) {
    constexpr std::uint32_t kOther = 1;
    constexpr std::uint32_t kTime = 4;
    constexpr std::uint32_t kPlain = 5;
    const auto text = find_octets(body, kPlain);
    if (!text || text->empty()) return;
    const std::string other = digits_of(find_octets(body, kOther).value_or(Bytes{}));
    Event& event = received ? add(unit, other, name_) : add(unit, name_, other);
    event.copy = copy;
    stamp(event, find_fixed32(body, kTime).value_or(0));
    event.texts.push_back(text_part(unit, *text, to_utf8_lossy(*text)));
  }

  std::size_t state_memory() const override { return name_.capacity(); }

  std::string name_;
  bool signed_in_ = false;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<GaduCodec>(limits, start);
}

constexpr std::array<std::uint16_t, 2> kPorts{8074, 443};

}  // namespace

const Protocol kProtocol{"gadu-gadu", kPorts, probe, make, nullptr, false};

}  // namespace chancery::gadu
