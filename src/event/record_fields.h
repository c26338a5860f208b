#pragma once
// The map keys of a record's CBOR encoding; docs/formats/record.md. Numbers are part of the format: never reuse one.
#include <cstdint>

namespace chancery::record_fields {

enum RecordField : std::uint8_t {
  kVersion = 0,
  kTime = 1,
  kProtocol = 2,
  kNetwork = 3,
  kReadFrom = 4,
  kConnection = 5,
  kSession = 6,
  kAccount = 7,
  kConversation = 8,
  kConversationSequence = 9,
  kEvent = 10,
  kDecision = 11,
  kWire = 12,
  kWireIn = 13,
  kSecrets = 14,
  kDeliveries = 15,
  kCounters = 16,
  kSeen = 17,
  kLastKnown = kSeen,  // what is above belongs to a later version, and is kept
};

enum EventField : std::uint8_t {
  kKind = 0,
  kScope = 1,
  kCopy = 2,
  kAccepted = 3,
  kAction = 4,
  kFrom = 5,
  kFromDevice = 6,
  kTo = 7,
  kRoom = 8,
  kId = 9,
  kOriginId = 10,
  kRef = 11,
  kThread = 12,
  kTexts = 13,
  kSeal = 14,
  kFiles = 15,
  kPresent = 16,
  kStatedTime = 17,
  kDetail = 18,
};

enum DecisionField : std::uint8_t {
  kVerdict = 0,
  kRule = 1,
  kRules = 2,
  kMasks = 3,
  kNotice = 4,
  kAnswers = 5,
  kPolicyRevision = 6,
};

// Items of the arrays that stand for a Delivery, a Secret, a TextPart, a File, an Answer, the Counters.
inline constexpr std::uint64_t kDeliveryItems = 5, kSecretItems = 3, kTextItems = 4, kFileItems = 6, kAnswerItems = 2,
                               kCounterItems = 7, kSeenItems = 2, kSegmentItems = 4, kMaskItems = 3;

}  // namespace chancery::record_fields
