#include "event/testing/samples.h"

namespace chancery::testing {
namespace {

constexpr std::int64_t kTime = 1'777'799'564'123'456'789;  // 2026-05-03T09:12:44.123456789Z

Record in_session() {
  Record record;
  record.time = from_unix_ns(kTime);
  record.protocol = "xmpp";
  record.network = "im.test";
  record.connection = id_of<ConnectionId>(0x10);
  record.session = id_of<SessionId>(0x30);
  record.account = "alice@im.test";
  record.conversation = id_of<ConversationId>(0x50);
  return record;
}

Event full_event() {
  Event event;
  event.kind = Kind::edit;
  event.scope = Scope::room;
  event.copy = Copy::echo;
  event.action = true;
  event.from = "tea@conference.im.test/Alice";
  event.from_device = "alice@im.test/phone";
  event.to = {"bob@im.test", "carol@im.test"};
  event.room = "tea@conference.im.test";
  event.id = "m-2";
  event.origin_id = "o-2";
  event.ref = "m-1";
  event.thread = "t-9";
  event.texts = {{TextPart::Role::subject, "", "Preise", {}},
                 {TextPart::Role::body, "de", "/me verrät grün", {{0, 16, 40, 62}, {16, 17, 62, 68}}},
                 {TextPart::Role::xhtml, "", "<p>verrät grün</p>", {{3, 16, 80, 93}}}};
  event.seal = "otr";
  event.files = {{"plan \"A\".pdf", 1024, "application/pdf", "sha-256:00ff", "http-upload", "https://im.test/f/1"},
                 {"", std::nullopt, "", "", "dcc", "127.0.0.1:5000"}};
  event.present = {"tea@conference.im.test/Alice", "tea@conference.im.test/Bob", "caf\xe9"};
  event.stated_time = from_unix_ns(-1);
  event.detail = "line\nbreak";
  return event;
}

}  // namespace

Record chat_message() {
  Record record = in_session();
  record.conversation_sequence = 41;
  record.event.from = "alice@im.test";
  record.event.from_device = "alice@im.test/phone";
  record.event.to = {"bob@im.test"};
  record.event.id = "m-1";
  record.event.texts = {{TextPart::Role::body, "", "Shall we meet at noon? 你好", {{0, 29, 62, 91}}}};
  record.decision.policy_revision = "0123456789abcdef";
  record.wire = "<message to='bob@im.test' id='m-1' type='chat'><body>Shall we meet at noon? 你好</body></message>";
  return record;
}

Record full_message() {
  Record record = in_session();
  record.read_from = Side::server;
  record.conversation_sequence = 70'000;
  record.event = full_event();
  record.decision.verdict = Verdict::redact;
  record.decision.rule = "colours";
  record.decision.rules = {"colours", "german"};
  record.decision.masks = {{1, 12, 17}, {2, 11, 16}};
  record.decision.notice = "Not that word.";
  record.decision.answers = {{"notice.shown:signon:alice@im.test", "yes"}};
  record.decision.policy_revision = "0123456789abcdef";
  record.wire = Buffer{"\0\xff wire", 7};
  record.wire_in = 3;
  record.secrets = {{100, 108, "room-password"}};
  record.unknown = Buffer{"\xa2\x17\x61x\x18\x20\x82\x01\xf6", 9};  // {23: "x", 32: [1, null]}
  return record;
}

Record two_deliveries() {
  Record record;
  record.time = from_unix_ns(kTime);
  record.conversation = id_of<ConversationId>(0x70);
  record.conversation_sequence = 3;
  record.event.kind = Kind::delivery;
  record.event.scope = Scope::network;
  record.deliveries = {{7, "bob@im.test", id_of<SessionId>(0x90), from_unix_ns(kTime - 5000), false},
                       {7, "carol@im.test", id_of<SessionId>(0xb0), from_unix_ns(kTime - 4000), true}};
  return record;
}

Record session_end() {
  Record record = in_session();
  record.event.kind = Kind::stream_close;
  record.event.scope = Scope::network;
  record.event.detail = "client closed";
  record.counters = Counters{10, 6, 1, 1, 0, 1, 1};
  return record;
}

Record seen_message() {
  Record record;
  record.time = from_unix_ns(kTime);
  record.protocol = "irc";
  record.network = "sensor-1";
  record.read_from = Side::server;
  record.connection = id_of<ConnectionId>(0x10);
  record.conversation = id_of<ConversationId>(0x50);
  record.conversation_sequence = 2;
  record.event.scope = Scope::room;
  record.event.from = "bob";
  record.event.from_device = "bob!b@host.test";
  record.event.room = "#tea";
  record.event.texts = {{TextPart::Role::body, "", "hello", {{0, 5, 28, 33}}}};
  record.wire = ":bob!b@host.test PRIVMSG #tea :hello\r\n";
  record.seen = Seen{"10.0.0.7:40000", "[2001:db8::1]:6667"};
  return record;
}

}  // namespace chancery::testing
