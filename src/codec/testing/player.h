#pragma once
// Plays a transcript's steps into a codec, as a gateway would (or, when `start.passive`, as the sensor would): feed,
// then release each unit with its decisions. What came of it is kept as text, so that two ways of playing can be
// compared and a difference be read.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "codec/testing/transcript.h"

namespace chancery::testing {

// One unit and what `release` made of it.
struct PlayedUnit {
  Side from = Side::client;
  Buffer wire;
  std::vector<std::string> events;   // docs/formats/transcript.md, "Events"
  std::vector<std::string> secrets;  // likewise
  std::vector<std::string> outputs;  // the `>` lines; empty: just passed on
  bool operator==(const PlayedUnit&) const = default;
};

// What one step, or several joined ones, gave.
struct Played {
  std::vector<PlayedUnit> units;
  std::vector<std::string> outputs;  // of steps that are not octets
  std::string error;                 // empty: none

  std::vector<std::string> lines() const;  // as a transcript writes them
};

// How octets are cut before they are fed.
class Cutter {
 public:
  static Cutter whole() { return {}; }
  static Cutter bytewise() { return Cutter{1, 0}; }
  static Cutter random(std::uint64_t seed) { return Cutter{0, seed}; }
  std::size_t next(std::size_t left);

 private:
  Cutter() = default;
  Cutter(std::size_t size, std::uint64_t seed) : size_(size), random_(std::in_place, seed) {}
  std::size_t size_ = 0;
  std::optional<std::mt19937_64> random_;  // nullopt: do not cut
};

// `decisions` by the place of the event in the whole transcript.
using Decisions = std::map<std::size_t, DecisionSpec>;

class Player {
 public:
  Player(const Protocol& protocol, const Transcript& transcript, Decisions decisions, Cutter cutter);

  // `octets` replaces the step's own (several steps joined, or one cut short).
  Played play(const Step& step, Bytes octets);
  Played play(const Step& step) { return play(step, step.octets); }

  void decide(std::size_t event, const DecisionSpec& spec) { decisions_.insert_or_assign(event, spec); }
  Codec& codec() { return *codec_; }
  std::size_t events_seen() const { return events_seen_; }
  // Broken promises that no comparison would show: an error that was not sticky, a segment outside the wire.
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  void feed(Side side, Bytes octets, Played& played);
  void take(std::vector<Unit>& units, Side side, Played& played);
  void act(const Step& step, Outbox& out);
  void check_shape(const Unit& unit);
  std::vector<std::string> describe(Outbox& out, const Unit* unit, Bytes wire) const;

  const bool crlf_;
  const bool passive_;
  const bool datagrams_;
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Codec> codec_;
  Decisions decisions_;
  Cutter cutter_;
  Instant now_;
  std::size_t events_seen_ = 0;
  std::optional<Event> last_event_;
  std::array<std::error_code, 2> errors_;
  std::vector<std::string> faults_;
};

}  // namespace chancery::testing
