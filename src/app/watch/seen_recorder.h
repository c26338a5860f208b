#pragma once
// Writes what the sensor reads into a log: each message, sign-in, file offer, reaction, retraction and sealed message
// once, on the first leg that was seen; each later leg as a delivery that refers to it; a secret in clear as an event
// without the secret. Records are marked as seen (docs/formats/record.md): nothing was decided, nothing forwarded.
//
// Never waits. What the journal does not take is `lost` to the record, counted, and put on it as a gap as soon as there
// is room.
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateway/recorder.h"
#include "sensor/read/observer.h"

namespace chancery::app::watch {

// What should be on the record and is not.
struct Lost {
  std::uint64_t count = 0;
  Instant first, last;  // when it passed
  std::string why;
  void add(Instant time, std::string_view reason);
  std::string in_words() const;  // for a gap record; never message text
};

class SeenRecorder {
 public:
  // All are borrowed. `network`: the sensor's name. `random`: of this run, names its connections.
  SeenRecorder(gateway::Recorder& recorder, gateway::Conversations& conversations, std::string network,
               std::uint64_t random);

  // `now` is the log's own clock. False: the journal failed, and takes nothing more.
  bool message(const sensor::SeenMessage& message, Instant now);
  bool event(const sensor::SeenEvent& event, Instant now);
  bool credential(const sensor::SeenCredential& credential, Instant now);

  // From time to time: deliveries, and the gap, if there is room for it. True: the gap is on the record.
  bool flush(Instant now);
  // It was alive, and had seen so much.
  void heartbeat(std::string detail, Instant now);

  struct Counts {
    std::uint64_t recorded = 0;    // events, once each
    std::uint64_t deliveries = 0;  // their later legs
  };
  const Counts& counts() const { return counts_; }
  // Not on the record, and no gap says so yet. Continued from an earlier run by assigning to it.
  Lost& lost() { return lost_; }

 private:
  // What a leg is of.
  struct Found {
    Instant time;
    std::string_view protocol;
    const sensor::Endpoint &client, &server;
    const sensor::SeenPlace& place;
    std::optional<std::uint64_t> copy_of;
    std::uint64_t number;
  };
  bool take(const Found& found, const Event& event, std::string_view to, Instant now);
  bool deliver(const Found& found, const Event& event, std::string_view to);
  gateway::Recorder::Result record(const Found& found, const Event& event, Instant now);
  gateway::Recorder::Result record_unit(const Found& found, const Event& event, const gateway::Origin& origin,
                                        Instant now);
  void remember(std::uint64_t number, std::uint64_t index);
  bool count(const gateway::Recorder::Result& result, Instant time);

  gateway::Recorder& recorder_;
  gateway::Conversations& conversations_;
  const std::string network_;
  const std::uint64_t random_;
  const Seen nowhere_;                                        // of records about the record
  std::unordered_map<std::uint64_t, std::uint64_t> indexes_;  // of records, by the number of what was found
  std::deque<std::uint64_t> order_;                           // of indexes_, oldest first
  std::uint64_t unit_ = 0, unit_index_ = 0;                   // whose wire was recorded last, and where
  Event own_;                                                 // kept for its memory
  Counts counts_;
  Lost lost_;
};

}  // namespace chancery::app::watch
