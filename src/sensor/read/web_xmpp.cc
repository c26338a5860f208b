#include "sensor/read/web_xmpp.h"

#include <algorithm>

#include "codec/registry.h"
#include "sensor/read/codec_reader.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kBeginMax = 1'024;  // of a body, where its own tag must be

// The tag at the begin of `text`, with its brackets; empty: it does not end.
std::string_view tag_at(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0)
      quote = c == quote ? '\0' : quote;
    else if (c == '\'' || c == '"')
      quote = c;
    else if (c == '>')
      return text.substr(0, i + 1);
  }
  return {};
}

std::string_view attribute(std::string_view tag, std::string_view name) {
  for (std::size_t at = tag.find(name); at != tag.npos; at = tag.find(name, at + 1)) {
    const std::size_t equals = at + name.size();
    if (at == 0 || tag[at - 1] > ' ' || equals + 1 >= tag.size() || tag[equals] != '=') continue;
    const char quote = tag[equals + 1];
    if (quote != '\'' && quote != '"') continue;
    const std::string_view value = tag.substr(equals + 2);
    return value.substr(0, value.find(quote));
  }
  return {};
}

}  // namespace

bool is_bosh(std::string_view body) {
  body = body.substr(0, kBeginMax);
  return body.find("<body") != body.npos && body.find("http://jabber.org/protocol/httpbind") != body.npos;
}

void WebXmpp::begin(bool midstream) {
  if (stream_) return;
  FlowView inner = flow_;
  inner.midstream = midstream;
  stream_ = make_codec_reader(reading_, inner, *find_protocol("xmpp"));
}

void WebXmpp::open(Side from, std::string_view host, Instant time) {
  const auto side = static_cast<std::size_t>(from);
  if (!host.empty()) host_ = host;
  std::string header =
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'";
  if (!host_.empty() && host_.find('\'') == host_.npos)
    header.append(from == Side::client ? " to='" : " from='").append(host_).append("'");
  header += '>';
  opened_[side] = true;
  (void)stream_->octets(from, header, time);
}

void WebXmpp::bosh(Side from, std::string_view body, Instant time) {
  const std::size_t at = body.substr(0, kBeginMax).find("<body");
  if (at == body.npos) return;
  const std::string_view tag = tag_at(body.substr(at));
  if (tag.empty()) return;
  // XEP-0124 §7.1: without a session's id this is the request for one, the begin of the stream. Several connections
  // may carry one session; on the later ones it is joined midway.
  begin(from != Side::client || !attribute(tag, "sid").empty());
  // XEP-0206 §4: after SASL both sides open a new stream.
  if (from == Side::client && attribute(tag, "xmpp:restart") == "true") opened_ = {};
  const auto side = static_cast<std::size_t>(from);
  if (!opened_[side]) open(from, attribute(tag, from == Side::client ? "to" : "from"), time);
  if (tag.ends_with("/>")) return;
  const std::size_t begin = at + tag.size();
  const std::size_t end = body.rfind("</body");
  if (end != body.npos && end > begin) (void)stream_->octets(from, body.substr(begin, end - begin), time);
}

void WebXmpp::websocket(Side from, std::string_view message, Instant time) {
  begin(false);
  const std::size_t start = std::min(message.find_first_not_of(" \t\r\n"), message.size());
  if (const std::string_view rest = message.substr(start); rest.starts_with("<open")) {  // RFC 7395 §3.3
    open(from, attribute(tag_at(rest), from == Side::client ? "to" : "from"), time);
  } else if (!rest.starts_with("<close")) {
    if (!opened_[static_cast<std::size_t>(from)]) open(from, {}, time);
    (void)stream_->octets(from, message, time);
  }
}

void WebXmpp::lost(Side from) {
  opened_[static_cast<std::size_t>(from)] = false;
  if (stream_) stream_->lost(from, 0);
}

}  // namespace chancery::sensor
