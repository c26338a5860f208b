#include "sensor/read/reading.h"

#include <algorithm>
#include <string>

#include "codec/registry.h"
#include "sensor/read/codec_reader.h"
#include "sensor/read/http_reader.h"
#include "sensor/read/login_reader.h"

namespace chancery::sensor {
namespace {

std::string_view text_of(const Event& event) {
  for (const TextPart& part : event.texts)
    if (part.role == TextPart::Role::body) return part.text;
  return {};
}

std::string_view receivers(const Event& event, std::string& scratch) {
  if (event.to.empty()) return event.room;
  if (event.to.size() == 1) return event.to.front();
  scratch.clear();
  for (const std::string& to : event.to) {
    if (!scratch.empty()) scratch += ',';
    scratch += to;
  }
  return scratch;
}

// DCC offers travel as messages without words.
bool is_wordless(const Event& event) {
  const bool dcc_file = event.kind == Kind::file_offer && !event.files.empty() && event.files.front().method == "dcc";
  return dcc_file || (event.kind == Kind::opaque && event.detail.starts_with("dcc"));
}

bool is_message(const Event& event) {
  const bool said = event.kind == Kind::message || event.kind == Kind::edit || event.kind == Kind::history;
  return is_wordless(event) || (said && !text_of(event).empty());
}

}  // namespace

std::unique_ptr<FlowReader> Reading::make(std::string_view reader, const Flow& flow) {
  const FlowView view{++flows_, flow.client(), flow.server(), flow.midstream,
                      flow.transport == Transport::udp ? Boundary::datagram : Boundary::stream};
  if (reader == "http" || reader == "websocket") return make_http_reader(*this, view);
  if (is_login_protocol(reader)) return make_login_reader(*this, view, reader);
  if (const Protocol* protocol = find_protocol(reader)) return make_codec_reader(*this, view, *protocol);
  return nullptr;
}

void Reading::event(const FlowView& flow, std::string_view protocol, const Event& event, Side from, Instant time) {
  if (!is_message(event)) return;
  const std::string_view to = receivers(event, receivers_);
  const std::string_view text = is_wordless(event) ? std::string_view{} : text_of(event);
  const Leg leg{time,
                protocol,
                event.from,
                event.room.empty() ? to : std::string_view{},
                event.room,
                text,
                from,
                event.copy == Copy::echo || event.copy == Copy::carbon || event.copy == Copy::resend,
                event.copy == Copy::delayed || event.copy == Copy::archive,
                flow.server,
                flow.number};
  tell({time, protocol, event.from, to, text, flow.client, flow.server, {}, &event}, leg);
}

void Reading::text(const FlowView& flow, std::string_view protocol, const WebText& said, Side from, Instant time) {
  const Leg leg{time, protocol, said.from, said.to, {}, said.text, from, false, false, flow.server, flow.number};
  tell({time, protocol, said.from, said.to, said.text, flow.client, flow.server, {}, nullptr}, leg);
}

void Reading::tell(SeenMessage message, const Leg& leg) {
  message.copy_of = legs_.match(leg, messages_++);
  observer_.message(message);
}

void Reading::credential(const FlowView& flow, std::string_view protocol, std::string_view user, std::string_view what,
                         Instant time) {
  observer_.credential({time, protocol, user, what, flow.client, flow.server});
}

void Reading::url(const FlowView& flow, std::string_view method, std::string_view url, Instant time) {
  if (options_.urls) observer_.url({time, method, url, flow.client, flow.server});
}

}  // namespace chancery::sensor
