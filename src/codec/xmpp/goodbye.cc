// What the gateway says itself: stream errors, and notices to the client.
#include "codec/xmpp/jid.h"
#include "codec/xmpp/names.h"
#include "codec/xmpp/xmpp_codec.h"

namespace chancery::xmpp {
namespace {

struct Goodbye {
  std::string_view condition;  // RFC 6120 §4.9.3
  std::string_view text;
};

Goodbye for_client_error(std::error_code error) {
  if (error == CodecError::malformed) return {"not-well-formed", {}};
  if (error == CodecError::restricted) return {"restricted-xml", {}};
  if (error == CodecError::not_utf8) return {"unsupported-encoding", {}};
  if (error == CodecError::out_of_order) return {"bad-format", {}};
  if (error == CodecError::too_large) return {"policy-violation", "A stanza is larger than is allowed here."};
  if (error == CodecError::too_deep) return {"policy-violation", "A stanza is nested deeper than is allowed here."};
  return {"policy-violation", "A stanza has more parts than is allowed here."};
}

Goodbye goodbye_for(Codec::Ending why) {
  switch (why) {
    case Codec::Ending::upstream_lost:
      return {"remote-connection-failed", "The connection to the server was lost."};
    case Codec::Ending::upstream_unreachable:
      return {"remote-connection-failed", "The server cannot be reached."};
    case Codec::Ending::shutdown:
      return {"system-shutdown", {}};
    case Codec::Ending::not_recorded:
      return {"internal-server-error", "Messages cannot be recorded at the moment, so none can be passed on."};
    case Codec::Ending::idle:
      return {"connection-timeout", {}};
    case Codec::Ending::overloaded:
      return {"resource-constraint", {}};
    case Codec::Ending::peer_error:
      break;
  }
  return {"undefined-condition", {}};
}

}  // namespace

void XmppCodec::end(Ending why, std::error_code error, Outbox& out) {
  if (ended_) return;
  Goodbye goodbye = goodbye_for(why);
  if (why == Ending::peer_error)
    goodbye = server_.error && !client_.error ? Goodbye{"remote-connection-failed", "The server broke the protocol."}
                                              : for_client_error(error);
  terminate(goodbye.condition, goodbye.text, out);
}

// RFC 6120 §4.9.1.2: an error on a stream that is not open yet opens it first; §4.9.1.1: and ends it.
void XmppCodec::terminate(std::string_view condition, std::string_view text, Outbox& out) {
  if (ended_) return;
  if (!client_closed_) send_stream_error(condition, text, out);
  out.close(Side::client);
  close_server(out);
}

void XmppCodec::send_stream_error(std::string_view condition, std::string_view text, Outbox& out) {
  if (!client_opened_) open_client_stream({}, out);
  Buffer error{"<stream:error xmlns:stream='"};
  error.append(ns::kStream).append("'><").append(condition).append(" xmlns='").append(ns::kStreamErrors).append("'/>");
  if (!text.empty()) {
    error.append("<text xmlns='").append(ns::kStreamErrors).append("' xml:lang='en'>");
    xml::escape_to(text, error);
    error.append("</text>");
  }
  error.append("</stream:error></stream:stream>");
  out.send(Side::client, error);
}

// A session that can be resumed is left as a broken connection would leave it: the closing tag would end it for good.
void XmppCodec::close_server(Outbox& out) {
  ended_ = true;
  if (server_opened_ && server_ready_ && resumption_id_.empty()) out.send(Side::server, "</stream:stream>");
  out.close(Side::server);
}

// A notice comes from the server's own address, or inside a conversation from the other end of it. It waits until a
// resumption is answered: before <resumed/> the client counts nothing, and <failed/> leaves nobody to tell.
bool XmppCodec::inject(Side to, std::string_view text, const Event* about, Outbox& out) {
  if (ended_ || to != Side::client || !client_opened_ || session_.own.empty() || resuming_) return false;
  std::string_view type = "headline";
  std::string from{domain_part(session_.own)};
  if (about != nullptr && about->scope == Scope::room) {
    type = "groupchat";
    from = about->room;
  } else if (about != nullptr && about->scope == Scope::direct) {
    type = "chat";
    from = about->from;
    if (from == session_.own && !about->to.empty()) from = about->to.front();
  }
  Buffer message{"<message xmlns='jabber:client' type='"};
  message.append(type).append("' from='");
  xml::escape_to(from, message);
  message.append("' to='");
  xml::escape_to(session_.own_full, message);
  message.append("' id='").append(nonce_).append("-").append(std::to_string(++injected_)).append("'><body>");
  xml::escape_to(text, message);
  message.append("</body></message>");
  say(Side::client, message, out);
  return !ended_;
}

}  // namespace chancery::xmpp
