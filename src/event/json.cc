// Record → JSON Lines; docs/formats/jsonl.md. The order of keys is part of the format.
#include "core/json.h"

#include <algorithm>
#include <fmt/format.h>

#include "event/mask.h"
#include "event/names.h"
#include "event/record.h"

namespace chancery {
namespace {

// A key that is always there: null where the record says nothing.
void put(JsonWriter& json, std::string_view key, std::string_view text) {
  json.key(key);
  text.empty() ? json.null() : json.value(text);
}

// A key that is there only where the record says something.
void put_if(JsonWriter& json, std::string_view key, std::string_view text) {
  if (!text.empty()) json.member(key, text);
}

template <class Tag>
void put(JsonWriter& json, std::string_view key, const Id<Tag>& id) {
  put(json, key, id.is_nil() ? std::string{} : id.hex());
}

void put_list(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.key(key).begin_array();
  for (const auto& each : list) json.value(each);
  json.end_array();
}

void put_list_if(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  if (!list.empty()) put_list(json, key, list);
}

// Which of the texts is `text`: the first body, or the first of all (a topic has only a subject).
std::size_t main_text(const std::vector<TextPart>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (texts[i].role == TextPart::Role::body) return i;
  return 0;
}

void put_texts(JsonWriter& json, const std::vector<TextPart>& texts, std::size_t main) {
  json.key("texts").begin_array();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i == main) continue;
    json.begin_object().member("role", to_string(texts[i].role));
    put_if(json, "language", texts[i].language);
    json.member("text", texts[i].text).end_object();
  }
  json.end_array();
}

void put_text(JsonWriter& json, const Event& event, const Decision& decision) {
  const auto& texts = event.texts;
  if (texts.empty()) {
    json.key("text").null();
    return;
  }
  const std::size_t main = main_text(texts);
  json.member("text", texts[main].text);
  if (decision.verdict == Verdict::redact)
    json.member("text_forwarded", apply_masks(texts[main].text, static_cast<std::uint32_t>(main), decision.masks));
  put_if(json, "language", texts[main].language);
  const auto subject = std::ranges::find(texts, TextPart::Role::subject, &TextPart::role);
  if (subject != texts.end()) json.member("subject", subject->text);
  if (texts.size() > 1) put_texts(json, texts, main);
}

void put_decision(JsonWriter& json, const Record& record) {
  const Decision& decision = record.decision;
  json.member("verdict", verdict_name(record));
  put(json, "rule", decision.rule);
  put_list_if(json, "rules", decision.rules);
  put_if(json, "notice", decision.notice);
  put(json, "policy_revision", decision.policy_revision);
}

void put_files(JsonWriter& json, const std::vector<File>& files) {
  if (files.empty()) return;
  json.key("files").begin_array();
  for (const auto& file : files) {
    json.begin_object();
    put(json, "name", file.name);
    if (file.size) json.member("size", *file.size);
    put_if(json, "media_type", file.media_type);
    put_if(json, "digest", file.digest);
    put_if(json, "method", file.method);
    put_if(json, "url", file.url);
    json.end_object();
  }
  json.end_array();
}

void put_counters(JsonWriter& json, const Counters& counters) {
  json.key("counters").begin_object();
  json.member("read", counters.read).member("forwarded", counters.forwarded).member("redacted", counters.redacted);
  json.member("refused", counters.refused).member("held", counters.held);
  json.member("undeliverable", counters.undeliverable);
  json.member("unknown_after_crash", counters.unknown_after_crash).end_object();
}

// Where a sensor saw it.
void put_seen(JsonWriter& json, const Record& record) {
  if (!record.seen) return;
  put_if(json, "client", record.seen->client);
  put_if(json, "server", record.seen->server);
}

// Whom a person directory will name one day; docs/formats/jsonl.md, "Reserved".
void put_reserved(JsonWriter& json) { json.key("person_from").null().key("person_to").null().key("seen_by").null(); }

void put_head(JsonWriter& json, const Record& record, std::string_view log, std::uint64_t index, Instant time) {
  json.member("log", log).member("index", index).member("time", to_rfc3339(time));
  put(json, "protocol", record.protocol);
  put(json, "network", record.network);
  json.member("direction", record.read_from == Side::client ? "out" : "in");
  put(json, "conversation", record.conversation);
  json.member("sequence", record.conversation_sequence);
}

// What is there only where the event says so.
void put_details(JsonWriter& json, const Event& event) {
  if (event.copy != Copy::none) json.member("copy", to_string(event.copy));
  if (event.kind == Kind::sign_in) json.member("accepted", event.accepted);
  if (event.action) json.member("action", true);
  put_if(json, "device", event.from_device);
  put_if(json, "origin_id", event.origin_id);
  put_if(json, "thread", event.thread);
  put_if(json, "seal", event.seal);
  put_files(json, event.files);
  put_list_if(json, "present", event.present);
  if (event.stated_time) json.member("stated_time", to_rfc3339(*event.stated_time));
  put_if(json, "detail", event.detail);
}

void put_masked(JsonWriter& json, const std::vector<Secret>& secrets) {
  if (secrets.empty()) return;
  json.key("masked").begin_array();
  for (const auto& secret : secrets) json.value(secret.what);
  json.end_array();
}

// Who said it, as the organisation knows him. In an XMPP room `Event::from` is the occupant ("room/nick"), but the
// sender's own leg knows his account, and a room that is not anonymous shows the real address.
std::string_view speaker(const Record& record) {
  const Event& event = record.event;
  const bool is_occupant = !event.room.empty() && event.from.size() > event.room.size() &&
                           event.from.starts_with(event.room) && event.from[event.room.size()] == '/';
  if (!is_occupant) return event.from;
  if (record.read_from == Side::client && !record.account.empty()) return record.account;
  if (event.from_device.empty()) return event.from;
  return std::string_view{event.from_device}.substr(0, event.from_device.find('/'));
}

std::string event_object(const Record& record, std::string_view log, std::uint64_t index) {
  const Event& event = record.event;
  std::string line;
  line.reserve(640);
  JsonWriter json{line};
  json.begin_object();
  put_head(json, record, log, index, record.time);
  json.member("kind", to_string(event.kind)).member("scope", to_string(event.scope));
  put(json, "id", event.id);
  put(json, "ref", event.ref);
  const std::string_view from = speaker(record);
  put(json, "from", from);
  put_list(json, "to", event.to);
  put(json, "room", event.room);
  put_text(json, event, record.decision);
  put_decision(json, record);
  put(json, "session", record.session);
  put(json, "connection", record.connection);
  put(json, "account", record.account);
  if (from != event.from) json.member("occupant", event.from);
  put_details(json, event);
  put_masked(json, record.secrets);
  if (record.counters) put_counters(json, *record.counters);
  put_seen(json, record);
  put_reserved(json);
  json.end_object();
  return line;
}

// A delivery says who was reached by which record; what was said stands there.
std::string delivery_object(const Record& record, std::string_view log, std::uint64_t index, std::size_t item) {
  const Delivery& delivery = record.deliveries[item];
  std::string line;
  line.reserve(480);
  JsonWriter json{line};
  json.begin_object();
  put_head(json, record, log, index, delivery.time);
  json.member("item", item);
  json.member("kind", to_string(Kind::delivery)).member("scope", to_string(record.event.scope));
  put(json, "id", record.event.id);
  json.member("ref", fmt::format("{}#{}", log, delivery.ref));
  put(json, "from", record.event.from);
  json.key("to").begin_array();
  if (!delivery.to.empty()) json.value(delivery.to);
  json.end_array();
  put(json, "room", record.event.room);
  json.key("text").null();
  put_decision(json, record);
  put(json, "session", delivery.session);
  put(json, "connection", record.connection);
  put(json, "account", delivery.to);
  json.member("matched_copy", delivery.matched_copy);
  put_reserved(json);
  json.end_object();
  return line;
}

}  // namespace

std::vector<std::string> to_json(const Record& record, std::string_view log, std::uint64_t index) {
  std::vector<std::string> lines;
  if (record.event.kind != Kind::delivery) {
    lines.push_back(event_object(record, log, index));
    return lines;
  }
  lines.reserve(record.deliveries.size());
  for (std::size_t item = 0; item < record.deliveries.size(); ++item)
    lines.push_back(delivery_object(record, log, index, item));
  return lines;
}

}  // namespace chancery
