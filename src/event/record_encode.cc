// Record → deterministic CBOR. A field that holds its empty value is left out; docs/formats/record.md.
#include "core/cbor.h"
#include "event/record.h"
#include "event/record_fields.h"

namespace chancery {
namespace {

using namespace record_fields;

// A map under construction.
class Fields {
 public:
  explicit Fields(CborWriter& writer) : writer_(writer), begin_(writer.begin_map()) {}

  // The field's value must be written next. Keys must come in ascending order.
  CborWriter& add(std::uint8_t key) {
    ++count_;
    writer_.unsigned_int(key);
    return writer_;
  }
  void add_string(std::uint8_t key, const std::string& text) {
    if (!text.empty()) add(key).string(text);
  }
  void add_strings(std::uint8_t key, const std::vector<std::string>& list) {
    if (list.empty()) return;
    add(key).array(list.size());
    for (const auto& each : list) writer_.string(each);
  }
  template <class Tag>
  void add_id(std::uint8_t key, const Id<Tag>& id) {
    if (!id.is_nil()) add(key).bytes(id.bytes());
  }
  void close(std::uint64_t later_fields = 0) { writer_.end_map(begin_, count_ + later_fields); }

 private:
  CborWriter& writer_;
  std::size_t begin_;
  std::uint64_t count_ = 0;
};

template <class Enum>
std::uint64_t number(Enum value) {
  return static_cast<std::uint64_t>(value);
}

void write_texts(CborWriter& out, const std::vector<TextPart>& texts) {
  out.array(texts.size());
  for (const auto& part : texts) {
    out.array(kTextItems);
    out.unsigned_int(number(part.role));
    out.string(part.language);
    out.string(part.text);
    out.array(part.segments.size() * kSegmentItems);
    for (const auto& segment : part.segments) {
      out.unsigned_int(segment.text_begin);
      out.unsigned_int(segment.text_end);
      out.unsigned_int(segment.wire_begin);
      out.unsigned_int(segment.wire_end);
    }
  }
}

void write_files(CborWriter& out, const std::vector<File>& files) {
  out.array(files.size());
  for (const auto& file : files) {
    out.array(kFileItems);
    out.string(file.name);
    file.size ? out.unsigned_int(*file.size) : out.null();
    out.string(file.media_type);
    out.string(file.digest);
    out.string(file.method);
    out.string(file.url);
  }
}

void write_event(CborWriter& out, const Event& event, Kind kind) {
  Fields fields{out};
  fields.add(kKind).unsigned_int(number(kind));
  if (event.scope != Scope::direct) fields.add(kScope).unsigned_int(number(event.scope));
  if (event.copy != Copy::none) fields.add(kCopy).unsigned_int(number(event.copy));
  if (!event.accepted) fields.add(kAccepted).boolean(false);
  if (event.action) fields.add(kAction).boolean(true);
  fields.add_string(kFrom, event.from);
  fields.add_string(kFromDevice, event.from_device);
  fields.add_strings(kTo, event.to);
  fields.add_string(kRoom, event.room);
  fields.add_string(kId, event.id);
  fields.add_string(kOriginId, event.origin_id);
  fields.add_string(kRef, event.ref);
  fields.add_string(kThread, event.thread);
  if (!event.texts.empty()) write_texts(fields.add(kTexts), event.texts);
  fields.add_string(kSeal, event.seal);
  if (!event.files.empty()) write_files(fields.add(kFiles), event.files);
  fields.add_strings(kPresent, event.present);
  if (event.stated_time) fields.add(kStatedTime).signed_int(unix_ns(*event.stated_time));
  fields.add_string(kDetail, event.detail);
  fields.close();
}

void write_masks(CborWriter& out, const std::vector<Mask>& masks) {
  out.array(masks.size() * kMaskItems);
  for (const auto& mask : masks) {
    out.unsigned_int(mask.part);
    out.unsigned_int(mask.begin);
    out.unsigned_int(mask.end);
  }
}

void write_answers(CborWriter& out, const std::vector<Answer>& answers) {
  out.array(answers.size());
  for (const auto& answer : answers) {
    out.array(kAnswerItems);
    out.string(answer.query);
    out.string(answer.value);
  }
}

void write_decision(CborWriter& out, const Decision& decision) {
  Fields fields{out};
  if (decision.verdict != Verdict::forward) fields.add(kVerdict).unsigned_int(number(decision.verdict));
  fields.add_string(kRule, decision.rule);
  fields.add_strings(kRules, decision.rules);
  if (!decision.masks.empty()) write_masks(fields.add(kMasks), decision.masks);
  fields.add_string(kNotice, decision.notice);
  if (!decision.answers.empty()) write_answers(fields.add(kAnswers), decision.answers);
  fields.add_string(kPolicyRevision, decision.policy_revision);
  fields.close();
}

bool says_nothing(const Decision& decision) {
  return decision.verdict == Verdict::forward && decision.rule.empty() && decision.rules.empty() &&
         decision.masks.empty() && decision.notice.empty() && decision.answers.empty() &&
         decision.policy_revision.empty();
}

void write_secrets(CborWriter& out, const std::vector<Secret>& secrets) {
  out.array(secrets.size());
  for (const auto& secret : secrets) {
    out.array(kSecretItems);
    out.unsigned_int(secret.wire_begin);
    out.unsigned_int(secret.wire_end);
    out.string(secret.what);
  }
}

void write_deliveries(CborWriter& out, const std::vector<Delivery>& deliveries) {
  out.array(deliveries.size());
  for (const auto& delivery : deliveries) {
    out.array(kDeliveryItems);
    out.unsigned_int(delivery.ref);
    out.string(delivery.to);
    out.bytes(delivery.session.bytes());
    out.signed_int(unix_ns(delivery.time));
    out.boolean(delivery.matched_copy);
  }
}

void write_counters(CborWriter& out, const Counters& counters) {
  out.array(kCounterItems);
  for (const auto value : {counters.read, counters.forwarded, counters.redacted, counters.refused, counters.held,
                           counters.undeliverable, counters.unknown_after_crash})
    out.unsigned_int(value);
}

std::size_t size_of(const std::vector<std::string>& list) {
  std::size_t size = 0;
  for (const auto& each : list) size += each.size() + kCborHeadSizeMax;
  return size;
}

// Near the encoded size, from above for nearly all records, so that the buffer is allocated once.
std::size_t likely_size(const RecordParts& parts) {
  const Record& record = parts.record;
  const Event& event = parts.event;
  std::size_t size = 320 + parts.wire.size() + record.unknown.size() + record.network.size() + record.account.size();
  size += event.from.size() + event.from_device.size() + event.room.size() + event.id.size() + event.origin_id.size();
  size += event.ref.size() + event.thread.size() + event.detail.size() + size_of(event.to) + size_of(event.present);
  for (const auto& part : event.texts) size += part.text.size() + part.language.size() + 32 + part.segments.size() * 20;
  for (const auto& file : event.files) size += file.name.size() + file.url.size() + file.digest.size() + 64;
  const Decision& decision = parts.decision;
  size += decision.rule.size() + decision.notice.size() + size_of(decision.rules) + decision.masks.size() * 15;
  for (const auto& answer : decision.answers) size += answer.query.size() + answer.value.size() + 8;
  for (const auto& delivery : record.deliveries) size += delivery.to.size() + 48;
  return size + parts.secrets.size() * 24;
}

}  // namespace

Buffer encode(const Record& record) {
  Buffer octets;
  encode({record, record.event, record.decision, record.event.kind, record.wire, record.secrets}, octets);
  return octets;
}

void encode(const RecordParts& parts, Buffer& octets) {
  const Record& record = parts.record;
  octets.clear();
  CborWriter out{octets, likely_size(parts)};
  Fields fields{out};
  fields.add(kVersion).unsigned_int(kRecordVersion);
  fields.add(kTime).signed_int(unix_ns(record.time));
  fields.add_string(kProtocol, record.protocol);
  fields.add_string(kNetwork, record.network);
  if (record.read_from != Side::client) fields.add(kReadFrom).unsigned_int(number(record.read_from));
  fields.add_id(kConnection, record.connection);
  fields.add_id(kSession, record.session);
  fields.add_string(kAccount, record.account);
  fields.add_id(kConversation, record.conversation);
  if (record.conversation_sequence != 0) fields.add(kConversationSequence).unsigned_int(record.conversation_sequence);
  write_event(fields.add(kEvent), parts.event, parts.kind);
  if (!says_nothing(parts.decision)) write_decision(fields.add(kDecision), parts.decision);
  if (!parts.wire.empty()) fields.add(kWire).bytes(parts.wire);
  if (record.wire_in != 0) fields.add(kWireIn).unsigned_int(record.wire_in);
  if (!parts.secrets.empty()) write_secrets(fields.add(kSecrets), parts.secrets);
  if (!record.deliveries.empty()) write_deliveries(fields.add(kDeliveries), record.deliveries);
  if (record.counters) write_counters(fields.add(kCounters), *record.counters);
  if (record.seen) {
    fields.add(kSeen).array(kSeenItems);
    out.string(record.seen->client);
    out.string(record.seen->server);
  }
  CborReader later{record.unknown};
  const std::uint64_t later_fields = record.unknown.empty() ? 0 : later.map();
  if (later_fields != 0 && later.ok()) out.raw(Bytes{record.unknown}.substr(later.position()));
  fields.close(later_fields);
}

}  // namespace chancery
