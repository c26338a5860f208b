#include "sensor/read/http_reader.h"

#include <algorithm>
#include <array>
#include <optional>

#include "codec/registry.h"
#include "core/encoding.h"
#include "core/utf8.h"
#include "sensor/read/codec_reader.h"
#include "sensor/read/http_messages.h"
#include "sensor/read/web_text.h"
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
    } else if (upgrade_asked_ || bosh_) {  // nothing else of a response is of interest
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
    if (bosh_) bosh_->lost(from, count);
  }
  void finished(Side) override {}
  std::size_t memory() const override {
    return sizeof *this + requests_.messages.memory() + responses_.messages.memory() + (bosh_ ? bosh_->memory() : 0);
  }

 private:
  struct Requests final : HttpMessages::Output {
    explicit Requests(HttpReader& r) : messages(true, r.flow_.midstream), reader(r) {}
    bool head(std::string_view head) override { return reader.request(head); }
    bool wants_body() const override { return reader.wants_form_ || reader.wants_stanzas_; }
    void body(Bytes octets) override { reader.request_body(octets); }
    void body_end() override { reader.request_end(); }
    HttpMessages messages;
    HttpReader& reader;
  };
  struct Responses final : HttpMessages::Output {
    explicit Responses(HttpReader& r) : messages(false, r.flow_.midstream), reader(r) {}
    bool head(std::string_view head) override { return reader.response(head); }
    bool wants_body() const override { return reader.bosh_ != nullptr && reader.response_is_xml_; }
    void body(Bytes octets) override { (void)reader.bosh_->octets(Side::server, octets, reader.now_); }
    void body_end() override {
      if (reader.bosh_) reader.bosh_->lost(Side::server, 0);  // each body is a document of its own
    }
    HttpMessages messages;
    HttpReader& reader;
  };
  struct Sockets {
    std::array<WebSocketTexts, 2> halves;
    std::unique_ptr<FlowReader> xmpp;  // RFC 7395
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
    if (upgrade_asked_ && !bosh_) responses_.messages.restart();  // earlier answers were not looked at
    const std::string_view type = http_field(head, "content-type");
    form_.clear();
    wants_form_ = method == "POST" && contains_folded(type, "x-www-form-urlencoded");
    wants_stanzas_ = method == "POST" && contains_folded(type, "xml") && http_field(head, "content-encoding").empty();
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

  void request_body(Bytes octets) {
    if (wants_form_) form_.append(octets.substr(0, kFormMax - std::min(kFormMax, form_.size())));
    if (!wants_stanzas_) return;
    if (!bosh_) {
      form_.append(octets.substr(0, kFormMax - std::min(kFormMax, form_.size())));
      if (form_.find("http://jabber.org/protocol/httpbind") == form_.npos) return;
      FlowView inner = flow_;
      inner.midstream = true;
      bosh_ = make_codec_reader(reading_, inner, *find_protocol("xmpp"));
      (void)bosh_->octets(Side::client, form_, now_);
      form_.clear();
      return;
    }
    (void)bosh_->octets(Side::client, octets, now_);
  }

  void request_end() {
    if (wants_form_ && has_password(form_)) alert(form_user(form_), "form");
    if (bosh_ && wants_stanzas_) bosh_->lost(Side::client, 0);
    form_.clear();
    wants_form_ = wants_stanzas_ = false;
  }

  bool response(std::string_view head) {
    const std::string_view status = head.size() > 12 ? head.substr(9, 3) : std::string_view{};
    response_is_xml_ =
        contains_folded(http_field(head, "content-type"), "xml") && http_field(head, "content-encoding").empty();
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
    if (contains_folded(http_field(head, "sec-websocket-protocol"), "xmpp")) {
      FlowView inner = flow_;
      inner.midstream = true;
      sockets_->xmpp = make_codec_reader(reading_, inner, *find_protocol("xmpp"));
    }
    responses_.messages.stop();
  }

  bool frames(Side from, Bytes octets) {
    const bool more = sockets_->half(from).octets(octets, [&](std::string_view text) {
      if (sockets_->xmpp)
        (void)sockets_->xmpp->octets(from, text, now_);
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
  bool wants_form_ = false, wants_stanzas_ = false, response_is_xml_ = false;
  std::string form_;  // the begin of a body
  std::string said_;  // the last alert
  std::unique_ptr<FlowReader> bosh_;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace

std::unique_ptr<FlowReader> make_http_reader(Reading& reading, const FlowView& flow) {
  return std::make_unique<HttpReader>(reading, flow);
}

}  // namespace chancery::sensor
