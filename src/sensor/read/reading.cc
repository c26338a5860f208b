#include "sensor/read/reading.h"

#include <algorithm>
#include <initializer_list>
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

bool belongs_on_record(const Event& event) {
  return event.kind == Kind::sign_in || event.kind == Kind::file_offer || event.kind == Kind::retraction ||
         event.kind == Kind::reaction || event.kind == Kind::sealed;
}

// What the legs of an event that is no message have in common, apart from who and whom. No message's text begins so.
void write_content(const Event& event, std::string& out) {
  out.assign(1, '\0');
  out += static_cast<char>(event.kind);
  for (const std::string_view part :
       std::initializer_list<std::string_view>{event.id, event.ref, event.seal, event.detail, text_of(event)}) {
    out += '\0';
    out += part;
  }
  for (const File& file : event.files) {
    out += '\0';
    out += file.name;
    out += '\0';
    out += file.url;
  }
}

Leg leg_of(const Event& event, std::string_view protocol, std::string_view to, std::string_view text,
           const FlowView& flow, Side from, Instant time) {
  return {time,
          protocol,
          event.from,
          event.room.empty() ? to : std::string_view{},
          event.room,
          text,
          protocol == "sip" ? std::string_view{event.id} : std::string_view{},
          from,
          event.copy == Copy::echo || event.copy == Copy::carbon || event.copy == Copy::resend,
          event.copy == Copy::delayed || event.copy == Copy::archive,
          flow.server,
          flow.number};
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

void Reading::event(const FlowView& flow, std::string_view protocol, const Event& event, const Unit& unit,
                    Instant time) {
  const SeenPlace place{flow.number, unit.from, &unit, units_read_};
  if (!is_message(event)) {
    if (belongs_on_record(event)) tell_event({time, protocol, event, flow.client, flow.server, {}, place}, flow);
    return;
  }
  const std::string_view to = receivers(event, receivers_);
  const std::string_view text = is_wordless(event) ? std::string_view{} : text_of(event);
  tell({time, protocol, event.from, to, text, flow.client, flow.server, {}, &event, place},
       leg_of(event, protocol, to, text, flow, unit.from, time));
}

// A number of the upper half, so that none is a message's.
void Reading::tell_event(SeenEvent seen, const FlowView& flow) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << 63U;
  const Event& event = seen.event;
  seen.number = kFirst + events_++;
  // One flow alone has a sign-in. What a refusal leads to is a sign-in of its own.
  if (event.kind != Kind::sign_in) {
    write_content(event, content_);
    seen.copy_of = legs_.match(
        leg_of(event, seen.protocol, receivers(event, receivers_), content_, flow, seen.place.side, seen.time),
        seen.number);
  }
  observer_.event(seen);
}

void Reading::text(const FlowView& flow, std::string_view protocol, const WebText& said, Side from, Instant time) {
  const Leg leg{time, protocol, said.from, said.to, {}, said.text, {}, from, false, false, flow.server, flow.number};
  tell({time,
        protocol,
        said.from,
        said.to,
        said.text,
        flow.client,
        flow.server,
        {},
        nullptr,
        {flow.number, from, nullptr, ++units_read_}},
       leg);
}

void Reading::tell(SeenMessage message, const Leg& leg) {
  message.number = messages_++;
  message.copy_of = legs_.match(leg, message.number);
  observer_.message(message);
}

void Reading::credential(const FlowView& flow, std::string_view protocol, std::string_view user, std::string_view what,
                         Instant time) {
  observer_.credential({time, protocol, user, what, flow.client, flow.server, {flow.number, Side::client, nullptr, 0}});
}

void Reading::url(const FlowView& flow, std::string_view method, std::string_view url, Instant time) {
  if (options_.urls) observer_.url({time, method, url, flow.client, flow.server});
}

}  // namespace chancery::sensor
