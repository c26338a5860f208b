// Texts: what MSG carries.
#include <algorithm>
#include <utility>

#include "codec/msnp/state.h"
#include "codec/wire/charset.h"
#include "codec/wire/watched.h"

namespace chancery::msnp {
namespace {

constexpr std::size_t kChunksMax = 1000;

// A line ends in CR LF on the wire.
std::string with_plain_line_ends(std::string text) {
  for (std::size_t at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at)) text.erase(at, 1);
  std::ranges::replace(text, '\r', '\n');  // MSN Messenger 7.5 writes CR alone
  return text;
}

std::string decoded(Bytes octets) { return with_plain_line_ends(from_unstated(octets)); }

class Reader {
 public:
  Reader(State& state, Unit& unit, std::string from)
      : state_(state),
        unit_(unit),
        from_(std::move(from)),
        unfinished_(state.unfinished[static_cast<std::size_t>(unit.from)]) {}

  void read(Bytes payload) {
    const Mime mime = parse_mime(payload);
    if (!mime.header("Chunk").empty()) return read_further_chunk(mime);
    const Bytes type = mime.type();
    if (type == "text/x-msmsgsprofile") return read_profile(mime);
    if (type == "text/x-msmsgscontrol") return read_control(mime);
    if (type == "application/x-msnmsgrp2p") return read_peer(state_, unit_, mime, from_);
    const auto chunks = to_number(mime.header("Chunks"));
    if (chunks && *chunks > 1) return read_first_chunk(mime, *chunks);
    read_whole(type, mime.header("Message-ID"), mime.body, mime.body);
  }

 private:
  // `source`: where `body` stands in the wire; empty when it was put together.
  void read_whole(Bytes type, Bytes id, Bytes body, Bytes source) {
    if (type == "text/plain") add_words(Kind::message, id, body, source);
    if (type == "text/x-msmsgsinvite") read_invitation(body);
    if (type == "text/x-msnmsgr-datacast" && find_header(body, "ID") == "4") {
      const Bytes data = find_header(body, "Data");
      add_words(Kind::message, id, data, source.empty() ? source : data).action = true;
    }
    if (type == "application/x-ms-ink" || type == "image/gif") {
      Event& event = add_event(state_, unit_, Kind::opaque, from_);
      event.detail = "handwriting";
    }
  }

  Event& add_words(Kind kind, Bytes id, Bytes body, Bytes source) {
    Event& event = add_event(state_, unit_, kind, from_);
    event.id = from_unstated(id);
    event.texts.push_back(text_part(unit_, source, decoded(body)));
    return event;
  }

  // The first has the type, the others only their number: what comes in between is another message.
  void read_first_chunk(const Mime& mime, std::size_t chunks) {
    if (chunks > kChunksMax || mime.body.size() > state_.limits.unit_size_max) return;
    Pieces& pieces = unfinished_.start(key_of(mime));
    pieces.total = chunks;
    pieces.next = 1;
    pieces.joined = Buffer{mime.type()} + '\n';
    pieces.joined += mime.body;
  }

  void read_further_chunk(const Mime& mime) {
    const std::string key = key_of(mime);
    Pieces* pieces = unfinished_.find(key);
    if (!pieces) return;
    if (to_number(mime.header("Chunk")) != pieces->next ||
        pieces->joined.size() + mime.body.size() > state_.limits.unit_size_max)
      return unfinished_.drop(key);
    pieces->joined += mime.body;
    if (++pieces->next < pieces->total) return;
    const Buffer joined = std::move(pieces->joined);
    unfinished_.drop(key);
    const Bytes all{joined};
    const std::size_t end = all.find('\n');
    read_whole(all.substr(0, end), mime.header("Message-ID"), all.substr(end + 1), {});
  }

  std::string key_of(const Mime& mime) const { return from_ + ' ' + std::string{mime.header("Message-ID")}; }

  // https://www.hypothetic.org/docs/msn/client/invitation.php
  void read_invitation(Bytes body) {
    if (find_header(body, "Invitation-Command") != "INVITE") return;
    const std::string file = from_unstated(find_header(body, "Application-File"));
    if (file.empty()) {
      Event& event = add_event(state_, unit_, Kind::opaque, from_);
      event.detail = "invitation " + from_unstated(find_header(body, "Application-Name"));
      return;
    }
    Event& event = add_event(state_, unit_, Kind::file_offer, from_);
    File& offered = event.files.emplace_back();
    offered.name = file;
    if (const auto size = to_number(find_header(body, "Application-FileSize"))) offered.size = *size;
    offered.method = "msnftp";
  }

  // The server's first MSG holds tickets for MSN's web sites.
  void read_profile(const Mime& mime) { add_secret(unit_, mime.header("MSPAuth"), "ticket"); }

  // Typing says nothing, but who the client is.
  void read_control(const Mime& mime) {
    const Bytes typing = mime.header("TypingUser");
    if (unit_.from == Side::client && state_.address.empty() && is_address(typing)) state_.address = address_of(typing);
  }

  State& state_;
  Unit& unit_;
  const std::string from_;
  Unfinished& unfinished_;
};

}  // namespace

void read_message(State& state, Unit& unit, const Command& command) {
  if (unit.from == Side::client) {
    Reader reader{state, unit, state.address};
    if (command.name == "MSG") return reader.read(command.payload);
    // UUM n address network type: to a person of another network, who is in no switchboard.
    const std::size_t events = unit.events.size();
    reader.read(command.payload);
    for (std::size_t i = events; i < unit.events.size(); ++i) unit.events[i].to = {address_of(command.param(1))};
    return;
  }
  if (!is_address(command.param(0))) return Reader{state, unit, {}}.read(command.payload);  // "Hotmail": the server
  std::string from = address_of(command.param(0));
  if (command.name == "MSG") state.join(from);
  const bool of_other_network = command.name == "UBM";
  const std::size_t events = unit.events.size();
  Reader{state, unit, std::move(from)}.read(command.payload);
  if (!of_other_network) return;
  for (std::size_t i = events; i < unit.events.size(); ++i) {
    unit.events[i].to.clear();
    if (!state.address.empty()) unit.events[i].to = {state.address};
  }
}

}  // namespace chancery::msnp
