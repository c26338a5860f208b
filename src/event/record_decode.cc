// Deterministic CBOR → Record. Fields are read strictly one by one; at the end the record is encoded again and must
// give the same octets, so that a record has exactly one encoding by construction.
#include "core/cbor.h"
#include "event/record.h"
#include "event/record_fields.h"

namespace chancery {
namespace {

using namespace record_fields;

// Calls `field(key)` for each pair of a map with ascending unsigned keys; `field` reads the value.
template <class Field>
void read_fields(CborReader& in, Field field) {
  const std::uint64_t pairs = in.map();
  std::uint64_t next_key = 0;  // the lowest that is in order
  for (std::uint64_t i = 0; in.ok() && i < pairs; ++i) {
    const auto key = in.small_key();
    if (!key || *key < next_key || *key == UINT64_MAX) return in.fail();
    next_key = *key + 1;
    field(*key);
  }
}

// Calls `item()` for each item of an array.
template <class Item>
void read_items(CborReader& in, Item item) {
  const std::uint64_t items = in.array();
  for (std::uint64_t i = 0; in.ok() && i < items; ++i) item();
}

void read_tuple(CborReader& in, std::uint64_t items) {
  if (in.array() != items) in.fail();
}

void read_string(CborReader& in, std::string& text) { text = in.string(); }

void read_strings(CborReader& in, std::vector<std::string>& list) {
  read_items(in, [&] { list.emplace_back(in.string()); });
}

std::uint32_t read_u32(CborReader& in) { return static_cast<std::uint32_t>(in.unsigned_int(UINT32_MAX)); }

// Enumerations whose values are first…last without holes.
template <class Enum>
void read_enum(CborReader& in, Enum& value, Enum first, Enum last) {
  const std::uint64_t number = in.unsigned_int(static_cast<std::uint64_t>(last));
  if (number < static_cast<std::uint64_t>(first)) return in.fail();
  value = static_cast<Enum>(number);
}

template <class Tag>
void read_id(CborReader& in, Id<Tag>& id) {
  const auto read = Id<Tag>::from_bytes(in.bytes());
  if (!read) return in.fail();
  id = *read;
}

// Kinds that later versions add are kept as they are: such a record stays readable.
void read_kind(CborReader& in, Kind& kind) {
  const std::uint64_t number = in.unsigned_int(UINT8_MAX);
  if (number == 0) return in.fail();
  kind = static_cast<Kind>(number);
}

void read_text(CborReader& in, TextPart& part) {
  read_tuple(in, kTextItems);
  read_enum(in, part.role, TextPart::Role::body, TextPart::Role::tag);
  read_string(in, part.language);
  read_string(in, part.text);
  const std::uint64_t numbers = in.array();
  if (numbers % kSegmentItems != 0) return in.fail();
  for (std::uint64_t i = 0; in.ok() && i < numbers; i += kSegmentItems) {
    Segment& segment = part.segments.emplace_back();
    segment.text_begin = read_u32(in);
    segment.text_end = read_u32(in);
    segment.wire_begin = read_u32(in);
    segment.wire_end = read_u32(in);
  }
}

void read_file(CborReader& in, File& file) {
  read_tuple(in, kFileItems);
  read_string(in, file.name);
  if (!in.null_if_next()) file.size = in.unsigned_int();
  read_string(in, file.media_type);
  read_string(in, file.digest);
  read_string(in, file.method);
  read_string(in, file.url);
}

void read_event_field(CborReader& in, std::uint64_t key, Event& event) {
  switch (key) {
    case kKind:
      return read_kind(in, event.kind);
    case kScope:
      return read_enum(in, event.scope, Scope::direct, Scope::network);
    case kCopy:
      return read_enum(in, event.copy, Copy::none, Copy::resend);
    case kAccepted:
      event.accepted = in.boolean();
      return;
    case kAction:
      event.action = in.boolean();
      return;
    case kFrom:
      return read_string(in, event.from);
    case kFromDevice:
      return read_string(in, event.from_device);
    case kTo:
      return read_strings(in, event.to);
    case kRoom:
      return read_string(in, event.room);
    case kId:
      return read_string(in, event.id);
    case kOriginId:
      return read_string(in, event.origin_id);
    case kRef:
      return read_string(in, event.ref);
    case kThread:
      return read_string(in, event.thread);
    case kTexts:
      return read_items(in, [&] { read_text(in, event.texts.emplace_back()); });
    case kSeal:
      return read_string(in, event.seal);
    case kFiles:
      return read_items(in, [&] { read_file(in, event.files.emplace_back()); });
    case kPresent:
      return read_strings(in, event.present);
    case kStatedTime:
      event.stated_time = from_unix_ns(in.signed_int());
      return;
    case kDetail:
      return read_string(in, event.detail);
    default:
      return in.fail();
  }
}

void read_masks(CborReader& in, std::vector<Mask>& masks) {
  const std::uint64_t numbers = in.array();
  if (numbers % kMaskItems != 0) return in.fail();
  for (std::uint64_t i = 0; in.ok() && i < numbers; i += kMaskItems) {
    Mask& mask = masks.emplace_back();
    mask.part = read_u32(in);
    mask.begin = read_u32(in);
    mask.end = read_u32(in);
  }
}

void read_answer(CborReader& in, Answer& answer) {
  read_tuple(in, kAnswerItems);
  read_string(in, answer.query);
  read_string(in, answer.value);
}

void read_decision_field(CborReader& in, std::uint64_t key, Decision& decision) {
  switch (key) {
    case kVerdict:
      return read_enum(in, decision.verdict, Verdict::forward, Verdict::hold);
    case kRule:
      return read_string(in, decision.rule);
    case kRules:
      return read_strings(in, decision.rules);
    case kMasks:
      return read_masks(in, decision.masks);
    case kNotice:
      return read_string(in, decision.notice);
    case kAnswers:
      return read_items(in, [&] { read_answer(in, decision.answers.emplace_back()); });
    case kPolicyRevision:
      return read_string(in, decision.policy_revision);
    default:
      return in.fail();
  }
}

void read_secret(CborReader& in, Secret& secret) {
  read_tuple(in, kSecretItems);
  secret.wire_begin = read_u32(in);
  secret.wire_end = read_u32(in);
  read_string(in, secret.what);
}

void read_delivery(CborReader& in, Delivery& delivery) {
  read_tuple(in, kDeliveryItems);
  delivery.ref = in.unsigned_int();
  read_string(in, delivery.to);
  read_id(in, delivery.session);
  delivery.time = from_unix_ns(in.signed_int());
  delivery.matched_copy = in.boolean();
}

void read_counters(CborReader& in, Counters& counters) {
  read_tuple(in, kCounterItems);
  for (auto* value : {&counters.read, &counters.forwarded, &counters.redacted, &counters.refused, &counters.held,
                      &counters.undeliverable, &counters.unknown_after_crash})
    *value = in.unsigned_int();
}

void read_seen(CborReader& in, Seen& seen) {
  read_tuple(in, kSeenItems);
  read_string(in, seen.client);
  read_string(in, seen.server);
}

void read_record_field(CborReader& in, std::uint64_t key, Record& record) {
  switch (key) {
    case kTime:
      record.time = from_unix_ns(in.signed_int());
      return;
    case kProtocol:
      return read_string(in, record.protocol);
    case kNetwork:
      return read_string(in, record.network);
    case kReadFrom:
      return read_enum(in, record.read_from, Side::client, Side::server);
    case kConnection:
      return read_id(in, record.connection);
    case kSession:
      return read_id(in, record.session);
    case kAccount:
      return read_string(in, record.account);
    case kConversation:
      return read_id(in, record.conversation);
    case kConversationSequence:
      record.conversation_sequence = in.unsigned_int();
      return;
    case kEvent:
      return read_fields(in, [&](std::uint64_t field) { read_event_field(in, field, record.event); });
    case kDecision:
      return read_fields(in, [&](std::uint64_t field) { read_decision_field(in, field, record.decision); });
    case kWire:
      record.wire = in.bytes();
      return;
    case kWireIn:
      record.wire_in = read_u32(in);
      return;
    case kSecrets:
      return read_items(in, [&] { read_secret(in, record.secrets.emplace_back()); });
    case kDeliveries:
      return read_items(in, [&] { read_delivery(in, record.deliveries.emplace_back()); });
    case kCounters:
      return read_counters(in, record.counters.emplace());
    case kSeen:
      return read_seen(in, record.seen.emplace());
    default:
      return in.fail();
  }
}

class RecordErrorCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "record"; }
  std::string message(int value) const override {
    switch (static_cast<RecordError>(value)) {
      case RecordError::malformed:
        return "not a record: its CBOR is malformed, or a field has the wrong type or value";
      case RecordError::not_canonical:
        return "not a canonical record: the same content has another, shorter encoding";
      case RecordError::version:
        return "a record of a version that this program does not read";
    }
    return "unknown record error";
  }
};

}  // namespace

std::error_code make_error_code(RecordError error) {
  static const RecordErrorCategory category;
  return {static_cast<int>(error), category};
}

std::expected<Record, std::error_code> decode_record(Bytes cbor) {
  CborReader in{cbor};
  Record record;
  std::uint64_t version = 0;
  std::uint64_t later_fields = 0;
  std::size_t later_begin = 0;
  read_fields(in, [&](std::uint64_t key) {
    if (key == kVersion) {
      version = in.unsigned_int();
      if (version != kRecordVersion) in.fail();
    } else if (key <= kLastKnown) {
      read_record_field(in, key, record);
    } else {
      const Bytes value = in.skip();
      if (later_fields++ == 0) {
        Buffer head;
        CborWriter{head}.unsigned_int(key);
        later_begin = in.position() - value.size() - head.size();
      }
    }
  });
  if (version != 0 && version != kRecordVersion) return std::unexpected(make_error_code(RecordError::version));
  if (!in.ok() || !in.at_end()) return std::unexpected(make_error_code(RecordError::malformed));
  if (later_fields != 0) {
    CborWriter{record.unknown}.map(later_fields);
    record.unknown.append(cbor.substr(later_begin));
  }
  if (encode(record) != cbor) return std::unexpected(make_error_code(RecordError::not_canonical));
  return record;
}

}  // namespace chancery
