#pragma once
// Reads flows that were named: chooses the reader, and tells the observer what is found, each message with whether it
// is a later leg of an earlier one. One for each capture thread.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "sensor/flow/flow.h"
#include "sensor/read/legs.h"
#include "sensor/read/observer.h"
#include "sensor/read/web_text.h"

namespace chancery::sensor {

struct ReadOptions {
  bool urls = true;
  // A FLAP and a YMSG frame are as long as 16 bits say, and their heads of 6 and 20 octets.
  Limits limits{
      .unit_size_max = 65'535 + 20, .members_max = 1'000, .rooms_max = 100, .unacked_max = 100};  // of one codec
};

// What a reader knows of the flow it reads.
struct FlowView {
  std::uint64_t number = 0;
  Endpoint client, server;
  bool midstream = false;
  Boundary boundary = Boundary::stream;
};

class Reading {
 public:
  Reading(Observer& observer, ReadOptions options) : observer_(observer), options_(options) {}

  // The reader that `reader` names (classifier.h), or null.
  std::unique_ptr<FlowReader> make(std::string_view reader, const Flow& flow);

  // --- for the readers

  // The events of one unit follow.
  void begin_unit() { ++units_read_; }
  // Only events that are messages become one; of others the observer is told where they belong on a record.
  void event(const FlowView& flow, std::string_view protocol, const Event& event, const Unit& unit, Instant time);
  // A message of a protocol without codec.
  void text(const FlowView& flow, std::string_view protocol, const WebText& said, Side from, Instant time);
  void credential(const FlowView& flow, std::string_view protocol, std::string_view user, std::string_view what,
                  Instant time);
  void url(const FlowView& flow, std::string_view method, std::string_view url, Instant time);

  const ReadOptions& options() const { return options_; }
  std::vector<Unit>& units() { return units_; }  // empty between calls

 private:
  void tell(SeenMessage message, const Leg& leg);
  void tell_event(SeenEvent seen, const FlowView& flow);

  Observer& observer_;
  const ReadOptions options_;
  Legs legs_;
  std::vector<Unit> units_;
  std::string receivers_;  // written anew for each message with several
  std::string content_;    // written anew for each event that is no message
  std::uint64_t messages_ = 0, events_ = 0, flows_ = 0, units_read_ = 0;
};

}  // namespace chancery::sensor
