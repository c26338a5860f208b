#pragma once
// The state machine of one connection. The decode half (feed, gap, finish) is in stream.cc and negotiation.cc; the
// forward half (release, inject, end) in release.cc, features.cc, redact.cc, refuse.cc and goodbye.cc. The two halves
// share only the session and what each side's stream looks like: units may be read ahead of their release.
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "codec/codec.h"
#include "codec/wire/xml.h"
#include "codec/xmpp/session.h"
#include "codec/xmpp/stream_management.h"

namespace chancery::xmpp {

// Where the reading of one side stands. docs/protocols/xmpp.md, "States".
enum class Phase : std::uint8_t {
  clear_header,    // before STARTTLS: the stream's opening tag
  clear_features,  // server: its features; client: <starttls/>
  clear_answer,    // server: <proceed/>
  tls_wait,        // octets are discarded until release() has asked for TLS
  header,          // the opening tag of the stream that is passed on
  open,            // first-level elements
  lost,            // passive: encrypted or compressed from here on
  closed,          // behind the closing tag
  resync,          // passive: looking for the begin of a stanza
};

// Unit::action: what release() does with the unit.
enum class Action : std::uint32_t {
  pass = 0,            // as it came
  stanza,              // the same, unless an event's decision says otherwise; counted by XEP-0198
  drop,                // of a clear stream that ends at the gateway
  offer_client_tls,    // client's first opening tag: our own, and the STARTTLS offer
  start_client_tls,    // client's <starttls/>: <proceed/>
  refuse_client_tls,   // <starttls/> where none was offered
  open_server,         // client's opening tag: passed on, or kept until the server's TLS stands
  ask_server_tls,      // server's clear features: <starttls/>
  start_server_tls,    // server's <proceed/>
  server_header,       // server's opening tag
  features,            // what TLS termination breaks is taken out
  sasl_success,        // both sides open their streams anew
  refuse_mechanism,    // a SASL mechanism that was not offered
  refuse_sasl2,        // XEP-0388, not offered
  refuse_compression,  // XEP-0138, not offered
  signed_in,           // a stanza that ends the sign-in
  management,          // XEP-0198
  close_stream,        // closing tag
  server_unusable,     // no STARTTLS, or an error in place of it: remote-connection-failed
  server_redirects,    // see-other-host
};

class XmppCodec final : public Codec {
 public:
  XmppCodec(const Limits& limits, const Start& start);
  ~XmppCodec() override;
  XmppCodec(const XmppCodec&) = delete;
  XmppCodec& operator=(const XmppCodec&) = delete;

  std::error_code feed(Side from, Bytes in, Instant now, Boundary boundary, std::vector<Unit>& out) override;
  void gap(Side from, std::uint64_t lost_bytes) override;
  std::error_code finish(Side from, std::vector<Unit>& out) override;
  void release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) override;
  bool inject(Side to, std::string_view text, const Event* about, Outbox& out) override;
  void end(Ending why, std::error_code error, Outbox& out) override;
  std::string resumes() const override;
  std::size_t memory() const override;

 private:
  // One side's incoming stream.
  struct Leg {
    Leg(const Limits& limits, Phase first) : scanner(limits), phase(first) {}
    xml::Scanner scanner;
    Phase phase;
    std::error_code error;
    Buffer search;              // resync: what may be the begin of a stanza's tag
    std::uint8_t unproven = 0;  // after a resync: pieces still to come before errors are believed
  };
  Leg& leg(Side side) { return side == Side::client ? client_ : server_; }
  const Leg& leg(Side side) const { return side == Side::client ? client_ : server_; }

  // stream.cc
  std::error_code scan(Side from, Bytes in, std::vector<Unit>& out);
  std::error_code read_item(Side from, const xml::Item& item, Unit& unit);
  std::error_code read_element(Side from, const xml::Element& element, Unit& unit);
  std::error_code read_stanza(Side from, const xml::Element& element, Unit& unit);
  void mark_resend(Side from, Unit& unit);
  void read_unknown(Side from, const xml::Element& element, Unit& unit);
  void restart_where_due();
  void lose(std::string_view why, Unit& unit);

  // midstream.cc
  std::error_code feed_joining(Side from, Bytes in, std::vector<Unit>& out);
  std::error_code seek(Side from, char octet, std::vector<Unit>& out);

  // negotiation.cc
  std::error_code read_open(Side from, const xml::Element& header, Unit& unit);
  std::error_code read_clear_element(Side from, const xml::Element& element, Unit& unit);
  bool read_negotiation(Side from, const xml::Element& element, Unit& unit);
  bool read_client_negotiation(const xml::Element& element, Unit& unit);
  bool read_server_negotiation(const xml::Element& element, Unit& unit);
  void read_server_features(const xml::Element& features, Unit& unit);
  void read_auth(const xml::Element& auth, Unit& unit);
  void read_sasl_failure(Unit& unit);
  void read_management(Side from, const xml::Element& element, Unit& unit);
  void read_stream_error(const xml::Element& error, Unit& unit);
  void protocol_error(Unit& unit, Action action, std::string detail) const;

  // release.cc
  void send(Side side, Bytes octets, Outbox& out);
  void release_negotiation(Action action, const Unit& unit, Outbox& out);
  void release_stanza(Unit& unit, std::span<const Decision> decisions, Outbox& out);
  void remember_masked(Side from, Bytes masked);
  void open_server(const Unit& unit, Outbox& out);
  void offer_client_tls(Outbox& out);
  void open_client_stream(std::string_view features, Outbox& out);
  void refuse(Side from, const xml::Element& stanza, std::string_view notice, Outbox& out);

  // management.cc
  void release_management(const Unit& unit, Outbox& out);
  void release_acknowledgement(Side by, const xml::Element& element, Outbox& out);
  void release_enable(const xml::Element& enable, Outbox& out);
  void release_enabled(const xml::Element& enabled, Outbox& out);
  void release_resume(const xml::Element& resume, Outbox& out);
  void release_resumed(const xml::Element& resumed, Outbox& out);
  void release_failed(const xml::Element& failed, Outbox& out);
  void forget_resumption();
  void count_passed(Side from);
  void count_dropped(Side from, Outbox& out);
  void say(Side to, const Buffer& stanza, Outbox& out);  // a stanza of the gateway's own

  // goodbye.cc
  void terminate(std::string_view condition, std::string_view text, Outbox& out);
  void send_stream_error(std::string_view condition, std::string_view text, Outbox& out);
  void close_server(Outbox& out);

  const Limits limits_;
  const std::string client_host_;
  const std::string nonce_;
  Session session_;
  Leg client_;
  Leg server_;
  Buffer held_for_server_;      // what waits until the server's TLS stands
  std::uint32_t injected_ = 0;  // numbers the ids of what the gateway says itself
  const bool passive_;
  const Start::Tls server_tls_;
  bool server_ready_;           // what is for the server may be sent to it
  bool restart_ = false;        // the unit just read ends both streams (SASL success)
  bool client_opened_ = false;  // our direction of the client's stream has its opening tag, and not its closing one
  bool client_closed_ = false;  // … has its closing tag
  bool server_opened_ = false;  // our direction of the server's stream likewise
  bool ended_ = false;

  // XEP-0198
  ResumptionStore* const store_;             // null: nothing is resumed
  std::shared_ptr<ManagedSession> managed_;  // null: not asked for
  std::string resumption_id_;                // not empty: the session is in the store
  std::string wants_;                        // the session that <resume/> named
  Instant now_;                              // of the last feed
  std::array<std::uint32_t, 2> resends_{};   // by side: stanzas to come that were sent before the resumption
  bool enabling_ = false;                    // <enable/> was passed on and is not answered
  bool resuming_ = false;                    // <resume/> likewise
};

}  // namespace chancery::xmpp
