#include "sensor/read/http_reader.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/encoding.h"
#include "core/utf8.h"
#include "sensor/read/http_messages.h"
#include "sensor/read/web_text.h"
#include "sensor/read/web_xmpp.h"
#include "sensor/read/websocket.h"

namespace chancery::sensor {
namespace {

constexpr std::array<std::string_view, 11> kSecretNames{"pass",    "pwd",  "token", "secret", "key",       "sid",
                                                        "session", "auth", "code",  "sig",    "credential"};

bool is_secret_name(std::string_view name) {
  return std::ranges::any_of(kSecretNames, [&](std::string_view secret) { return contains_folded(name, secret); });
}

// "user=…" of a form or a query; percent-encoding is left as it is.
std::string_view form_value(std::string_view form, std::string_view name_part) {
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != pair.npos && contains_folded(pair.substr(0, equals), name_part)) return pair.substr(equals + 1);
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return {};
}

bool has_password(std::string_view form) {
  return !form_value(form, "passw").empty() || !form_value(form, "passwd").empty() || !form_value(form, "pwd").empty();
}

std::string form_user(std::string_view form) {
  for (const std::string_view name : {"user", "login", "email", "mail", "account", "name"})
    if (const std::string_view value = form_value(form, name); !value.empty()) {
      std::string decoded;
      for (std::size_t i = 0; i < value.size() && decoded.size() < 256; ++i) {
        if (value[i] == '%' && i + 2 < value.size()) {
          if (const auto octet = from_hex(value.substr(i + 1, 2))) {
            decoded += *octet;
            i += 2;
            continue;
          }
        }
        decoded += value[i] == '+' ? ' ' : value[i];
      }
      return to_utf8_lossy(decoded);
    }
  return {};
}

}  // namespace

std::string public_url(std::string_view host, std::string_view target) {
  std::string url;
  if (target.starts_with('/') || target == "*") {
    url.append("http://").append(host);
    if (target == "*") return url;
  } else if (const std::size_t scheme = target.find("://"); scheme != target.npos) {
    const std::size_t path = std::min(target.find('/', scheme + 3), target.size());
    const std::size_t user = target.substr(scheme + 3, path - scheme - 3).rfind('@');
    url.append(target.substr(0, scheme + 3));
    if (user != target.npos) {
      url.append("***@");
      target.remove_prefix(scheme + 3 + user + 1);
    } else {
      target.remove_prefix(scheme + 3);
    }
  }
  const std::size_t query = std::min(target.find('?'), target.size());
  url.append(target.substr(0, query));
  std::string_view rest = target.substr(query);
  while (!rest.empty()) {
    url += rest.front();
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != pair.npos && is_secret_name(pair.substr(0, equals)))
      url.append(pair.substr(0, equals + 1)).append("***");
    else
      url.append(pair);
    rest.remove_prefix(end);
  }
  if (url.size() > kUrlMax) url.resize(kUrlMax);
  return to_utf8_lossy(url);
}

namespace {

class HttpReader final : public FlowReader {
 public:
  HttpReader(Reading& reading, const FlowView& flow)
      : reading_(reading), flow_(flow), requests_(*this), responses_(*this) {}

  bool octets(Side from, Bytes octets, Instant time) override {
    now_ = time;
    if (closed_) return false;
    if (sockets_) return frames(from, octets);
    if (from == Side::client) {
      requests_.messages.octets(octets, requests_);
    } else if (upgrade_asked_ || xmpp_) {  // nothing else of a response is of interest
      responses_.messages.octets(octets, responses_);
      if (sockets_ && !responses_.messages.rest().empty()) return frames(from, responses_.messages.rest());
    }
    return !closed_;
  }

  void lost(Side from, std::uint32_t count) override {
    if (sockets_) {
      closed_ = !sockets_->half(from).lost(count);
    } else {
      (from == Side::client ? requests_.messages : responses_.messages).lost(count);
    }
    broken_[static_cast<std::size_t>(from)] = true;
    if (xmpp_) xmpp_->lost(from);
  }
  void finished(Side) override {}
  std::size_t memory() const override {
    return sizeof *this + requests_.messages.memory() + responses_.messages.memory() + (xmpp_ ? xmpp_->memory() : 0) +
           bodies_[0].capacity() + bodies_[1].capacity();
  }

 private:
  struct Requests final : HttpMessages::Output {
    explicit Requests(HttpReader& r) : messages(true, r.flow_.midstream), reader(r) {}
    bool head(std::string_view head) override { return reader.request(head); }
    bool wants_body() const override { return reader.wants_form_ || reader.wants_stanzas_; }
    void body(Bytes octets) override { reader.keep(Side::client, octets); }
    void body_end() override { reader.request_end(); }
    HttpMessages messages;
    HttpReader& reader;
  };
  struct Responses final : HttpMessages::Output {
    explicit Responses(HttpReader& r) : messages(false, r.flow_.midstream), reader(r) {}
    bool head(std::string_view head) override { return reader.response(head); }
    bool wants_body() const override { return reader.xmpp_ != nullptr; }
    void body(Bytes octets) override { reader.keep(Side::server, octets); }
    void body_end() override { reader.bosh(Side::server); }
    HttpMessages messages;
    HttpReader& reader;
  };
  struct Sockets {
    std::array<WebSocketTexts, 2> halves;
    bool xmpp = false;  // RFC 7395
    WebSocketTexts& half(Side side) { return halves[static_cast<std::size_t>(side)]; }
  };

  bool request(std::string_view head) {
    const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
    const std::size_t first = line.find(' '), last = line.rfind(' ');
    if (first == line.npos || last <= first) return false;
    const std::string_view method = line.substr(0, first), target = line.substr(first + 1, last - first - 1);
    reading_.url(flow_, method, public_url(host_of(head), target), now_);
    basic(head, "authorization");
    basic(head, "proxy-authorization");
    if (method == "CONNECT") {
      closed_ = true;
      requests_.messages.stop();
      return false;
    }
    upgrade_asked_ = contains_folded(http_field(head, "upgrade"), "websocket");
    if (upgrade_asked_ && !xmpp_) responses_.messages.restart();  // earlier answers were not looked at
    const std::string_view type = http_field(head, "content-type");
    begin_body(Side::client);
    wants_form_ = method == "POST" && contains_folded(type, "x-www-form-urlencoded");
    wants_stanzas_ = method == "POST" && !wants_form_;
    if (const std::size_t query = target.find('?'); query != target.npos && has_password(target.substr(query + 1)))
      alert(form_user(target.substr(query + 1)), "password in the URL");
    return true;
  }

  std::string host_of(std::string_view head) const {
    const std::string_view host = http_field(head, "host");
    return host.empty() ? flow_.server.text() : std::string{host};
  }

  void basic(std::string_view head, std::string_view field) {
    const std::string_view value = http_field(head, field);
    constexpr std::string_view kBasic = "basic ";
    if (value.size() <= kBasic.size() || !contains_folded(value.substr(0, kBasic.size()), kBasic)) return;
    const auto pair = from_base64(value.substr(kBasic.size()));
    if (!pair) return;
    alert(to_utf8_lossy(pair->substr(0, pair->find(':'))), "basic");
  }

  // The same in each request of a connection is one alert.
  void alert(const std::string& user, std::string_view what) {
    std::string said = user + '\n' + std::string{what};
    if (said == said_) return;
    said_ = std::move(said);
    reading_.credential(flow_, "http", user, what, now_);
  }

  void begin_body(Side from) {
    bodies_[static_cast<std::size_t>(from)].clear();
    broken_[static_cast<std::size_t>(from)] = false;
  }

  // A body that is wanted, as far as it may be long.
  void keep(Side from, Bytes octets) {
    std::string& body = bodies_[static_cast<std::size_t>(from)];
    const std::size_t max = from == Side::client && wants_form_ ? kFormMax : kBoshMax;
    body.append(octets.substr(0, max - std::min(max, body.size())));
    if (from == Side::client && wants_stanzas_ && body.size() > kFormMax && !is_bosh(body)) {
      wants_stanzas_ = false;
      body = {};
    }
  }

  void request_end() {
    if (wants_form_ && has_password(bodies_[0])) alert(form_user(bodies_[0]), "form");
    if (wants_stanzas_) bosh(Side::client);
    bodies_[0].clear();
    wants_form_ = wants_stanzas_ = false;
  }

  void bosh(Side from) {
    const auto side = static_cast<std::size_t>(from);
    std::string& body = bodies_[side];
    if (is_bosh(body)) {
      if (!xmpp_) xmpp_ = std::make_unique<WebXmpp>(reading_, flow_);
      if (broken_[side] || body.size() >= kBoshMax)
        xmpp_->lost(from);
      else
        xmpp_->bosh(from, body, now_);
    }
    body.clear();
  }

  bool response(std::string_view head) {
    const std::string_view status = head.size() > 12 ? head.substr(9, 3) : std::string_view{};
    begin_body(Side::server);
    if (upgrade_asked_ && status == "101") return turn(head), false;
    if (upgrade_asked_ && !status.starts_with('1')) upgrade_asked_ = false;
    return !status.starts_with('1') && status != "204" && status != "304";
  }

  // RFC 6455 §4.2.2; RFC 7692 §7.1.
  void turn(std::string_view head) {
    sockets_ = std::make_unique<Sockets>();
    const std::string_view extensions = http_field(head, "sec-websocket-extensions");
    if (contains_folded(extensions, "permessage-deflate")) {
      sockets_->half(Side::client).allow_deflate(!contains_folded(extensions, "client_no_context_takeover"));
      sockets_->half(Side::server).allow_deflate(!contains_folded(extensions, "server_no_context_takeover"));
    }
    sockets_->xmpp = contains_folded(http_field(head, "sec-websocket-protocol"), "xmpp");
    if (sockets_->xmpp) xmpp_ = std::make_unique<WebXmpp>(reading_, flow_);
    responses_.messages.stop();
  }

  bool frames(Side from, Bytes octets) {
    const bool more = sockets_->half(from).octets(octets, [&](std::string_view text) {
      if (sockets_->xmpp)
        xmpp_->websocket(from, text, now_);
      else if (const auto said = read_web_text(text))
        reading_.text(flow_, "websocket", *said, from, now_);
    });
    if (!more) closed_ = true;
    return more;
  }

  Reading& reading_;
  const FlowView flow_;
  Requests requests_;
  Responses responses_;
  Instant now_;
  bool closed_ = false, upgrade_asked_ = false;
  bool wants_form_ = false, wants_stanzas_ = false;
  std::array<std::string, 2> bodies_;  // what is kept of the one that comes, by side
  std::array<bool, 2> broken_{};       // something of it is lost
  std::string said_;                   // the last alert
  std::unique_ptr<WebXmpp> xmpp_;      // BOSH, or RFC 7395 in `sockets_`
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace

std::unique_ptr<FlowReader> make_http_reader(Reading& reading, const FlowView& flow) {
  return std::make_unique<HttpReader>(reading, flow);
}

}  // namespace chancery::sensor
