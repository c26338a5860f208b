#include "codec/testing/check.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <random>

#include "codec/testing/escape.h"
#include "codec/testing/player.h"

namespace chancery::testing {
namespace {

constexpr int kRandomRuns = 3;
constexpr std::size_t kCutsMax = 600;  // streams cut short per transcript; each replays all that went before
constexpr int kGapRuns = 40;

std::string join(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += "\n    " + line;
  return all.empty() ? "\n    (nothing)" : all;
}

std::vector<std::string> lines_of(const std::vector<PlayedUnit>& units) { return Played{units, {}, {}}.lines(); }

bool plain(const PlayedUnit& unit) { return unit.outputs.empty(); }

class Check {
 public:
  Check(const Protocol& protocol, const Transcript& transcript, std::string name, std::uint64_t seed)
      : protocol_(protocol), transcript_(transcript), name_(std::move(name)), seed_(seed) {
    play_reference();
  }

  const std::vector<Played>& reference() const { return reference_; }

  std::vector<std::string> run() {
    expectations();
    wires_are_the_input();
    compare("byte by byte", Cutter::bytewise());
    for (std::uint64_t i = 0; i < kRandomRuns; ++i)
      compare(fmt::format("in random pieces (CHANCERY_SEED={})", seed_ + i), Cutter::random(seed_ + i));
    if (!transcript_.datagrams) {
      joined();
      no_unit_before_its_last_octet();
    }
    cut_short();
    small_limits();
    lost_octets();
    passive();
    return std::move(failures_);
  }

 private:
  // Step by step as written: what all other ways of playing are held against.
  void play_reference() {
    Player player{protocol_, transcript_, {}, Cutter::whole()};
    for (const Step& step : transcript_.steps) {
      for (const auto& [place, spec] : step.decisions) {
        player.decide(player.events_seen() + place, spec);
        decisions_.insert_or_assign(player.events_seen() + place, spec);
      }
      reference_.push_back(player.play(step));
    }
    faults_of(player, "as written");
  }

  void fail(std::string what) { failures_.push_back(fmt::format("{}: {}", name_, what)); }

  void faults_of(const Player& player, std::string_view how) {
    for (const std::string& fault : player.faults()) fail(fmt::format("{}, played {}", fault, how));
  }

  void expectations() {
    for (std::size_t i = 0; i < reference_.size(); ++i) {
      const Step& step = transcript_.steps[i];
      const auto got = reference_[i].lines();
      if (got != step.expected)
        fail(fmt::format("line {}: expected{}\n  got{}", step.line, join(step.expected), join(got)));
      const std::size_t events = event_count(reference_[i]);
      if (!step.decisions.empty() && step.decisions.rbegin()->first >= events)
        fail(fmt::format("line {}: a decision for event {} of {}", step.line, step.decisions.rbegin()->first + 1,
                         events));
    }
  }

  static std::size_t event_count(const Played& played) {
    std::size_t count = 0;
    for (const PlayedUnit& unit : played.units) count += unit.events.size();
    return count;
  }

  // Units leave nothing out and add nothing: what is not yet in a unit is what was read last.
  void wires_are_the_input() {
    if (has_gap()) return;
    for (const Side side : {Side::client, Side::server}) {
      Buffer wires;
      for (const Played& played : reference_)
        for (const PlayedUnit& unit : played.units)
          if (unit.from == side) wires += unit.wire;
      if (!input(side).starts_with(wires))
        fail("the units' octets are not the input's");
      else if (!broke(side) && wires.size() != input(side).size())
        fail(fmt::format("octets at the end are in no unit: {}", quote(input(side).substr(wires.size()))));
    }
  }

  bool has_gap() const {
    return std::ranges::any_of(transcript_.steps, [](const Step& s) { return s.what == Step::What::gap; });
  }

  // The transcript itself shows an error, or a stream cut short, on `side`.
  bool broke(Side side) const {
    for (std::size_t i = 0; i < reference_.size(); ++i)
      if (transcript_.steps[i].side == side && !reference_[i].error.empty()) return true;
    return false;
  }

  Buffer input(Side side) const {
    Buffer all;
    for (const Step& step : transcript_.steps)
      if (step.what == Step::What::feed && step.side == side) all += step.octets;
    return all;
  }

  void compare(const std::string& how, Cutter cutter) {
    Player player{protocol_, transcript_, decisions_, std::move(cutter)};
    for (std::size_t i = 0; i < transcript_.steps.size(); ++i) {
      const auto got = player.play(transcript_.steps[i]).lines();
      const auto whole = reference_[i].lines();
      if (got != whole)
        return fail(
            fmt::format("line {}: whole gives{}\n  but {}{}", transcript_.steps[i].line, join(whole), how, join(got)));
    }
    faults_of(player, how);
  }

  // Lines of one side that follow each other come in one piece. A step after which something was rewritten ends a
  // piece: the gateway's answer (start TLS, a refusal) may change what the next octets mean.
  void joined() {
    Player player{protocol_, transcript_, decisions_, Cutter::whole()};
    const auto& steps = transcript_.steps;
    for (std::size_t i = 0; i < steps.size();) {
      Buffer octets = steps[i].octets;
      std::vector<PlayedUnit> expected = reference_[i].units;
      std::size_t next = i + 1;
      while (next < steps.size() && can_join(i, next)) {
        octets += steps[next].octets;
        expected.insert(expected.end(), reference_[next].units.begin(), reference_[next].units.end());
        ++next;
      }
      const Played played = player.play(steps[i], octets);
      if (played.units != expected)
        return fail(fmt::format("line {}: line by line gives{}\n  but joined{}", steps[i].line,
                                join(lines_of(expected)), join(lines_of(played.units))));
      i = next;
    }
    faults_of(player, "joined");
  }

  bool can_join(std::size_t first, std::size_t next) const {
    const Step& a = transcript_.steps[first];
    const Step& b = transcript_.steps[next];
    if (a.what != Step::What::feed || b.what != Step::What::feed || a.side != b.side) return false;
    const Played& before = reference_[next - 1];
    return before.error.empty() && std::ranges::all_of(before.units, plain);
  }

  void no_unit_before_its_last_octet() {
    if (has_gap()) return;
    Player player{protocol_, transcript_, decisions_, Cutter::whole()};
    std::array<std::size_t, 2> fed{};
    std::array<std::size_t, 2> found{};
    for (const Step& step : transcript_.steps) {
      const auto side = static_cast<std::size_t>(step.side);
      if (step.what != Step::What::feed) {
        for (const PlayedUnit& unit : player.play(step).units) found[side] += unit.wire.size();
        continue;
      }
      for (const char octet : step.octets) {
        ++fed[side];
        for (const PlayedUnit& unit : player.play(step, Bytes{&octet, 1}).units) found[side] += unit.wire.size();
        if (found[side] > fed[side]) return fail(fmt::format("line {}: a unit before its octets", step.line));
      }
    }
  }

  // For cuts at every octet (a random choice of them in long transcripts): play up to the cut, finish both sides.
  void cut_short() {
    std::vector<std::pair<std::size_t, std::size_t>> cuts;  // step, octets of it
    for (std::size_t i = 0; i < transcript_.steps.size(); ++i)
      for (std::size_t at = 0; at < transcript_.steps[i].octets.size(); ++at) cuts.emplace_back(i, at);
    std::mt19937_64 random{seed_};
    std::ranges::shuffle(cuts, random);
    if (cuts.size() > kCutsMax) cuts.resize(kCutsMax);
    for (const auto& [step, at] : cuts)
      if (!cut_at(step, at)) return;
  }

  bool cut_at(std::size_t last, std::size_t octets) {
    const auto& steps = transcript_.steps;
    if (steps[last].what != Step::What::feed) return true;
    Player player{protocol_, transcript_, decisions_, Cutter::whole()};
    std::vector<PlayedUnit> got;
    std::vector<PlayedUnit> expected;
    for (std::size_t i = 0; i <= last; ++i) {
      Played played =
          i == last ? player.play(steps[i], Bytes{steps[i].octets}.substr(0, octets)) : player.play(steps[i]);
      std::ranges::move(played.units, std::back_inserter(got));
      expected.insert(expected.end(), reference_[i].units.begin(), reference_[i].units.end());
    }
    Step finish;
    finish.what = Step::What::finish;
    for (const Side side : {steps[last].side, other(steps[last].side)}) {
      finish.side = side;
      std::ranges::move(player.play(finish).units, std::back_inserter(got));
    }
    // Of a datagram cut short (by the snap length) less can be said than of the whole: that it does no harm, not more.
    if (transcript_.datagrams) return true;
    const bool prefix = got.size() <= expected.size() && std::equal(got.begin(), got.end(), expected.begin());
    if (!prefix)
      fail(fmt::format("line {}: cut after {} octets gives{}\n  which is no beginning of{}", steps[last].line, octets,
                       join(lines_of(got)), join(lines_of(expected))));
    return prefix;
  }

  // With each limit small in turn: units are a beginning of the usual ones (their events may know less), and an error
  // is sticky, which Player checks.
  void small_limits() {
    for (std::uint32_t Limits::* limit :
         {&Limits::unit_size_max, &Limits::depth_max, &Limits::attributes_max, &Limits::targets_max,
          &Limits::members_max, &Limits::rooms_max, &Limits::unacked_max}) {
      for (const std::uint32_t value : {0U, 1U, 2U, 40U, 200U}) {
        Transcript small = transcript_;
        small.limits.*limit = value;
        beginning_of_the_usual(small, value);
      }
    }
  }

  void beginning_of_the_usual(const Transcript& small, std::uint32_t value) {
    Player player{protocol_, small, decisions_, Cutter::whole()};
    std::array<Buffer, 2> wires;
    for (const Step& step : small.steps)
      for (const PlayedUnit& unit : player.play(step).units) wires[static_cast<std::size_t>(unit.from)] += unit.wire;
    for (const Side side : {Side::client, Side::server})
      if (!has_gap() && !input(side).starts_with(wires[static_cast<std::size_t>(side)]))
        fail(fmt::format("with a limit of {} the units are not the input's", value));
    faults_of(player, "with small limits");
  }

  // Octets vanish somewhere and the codec is told: no crash, no unit made of octets that were never there.
  void lost_octets() {
    if (transcript_.datagrams) return;  // a datagram is there or not
    std::mt19937_64 random{seed_};
    for (int run = 0; run < kGapRuns; ++run) {
      Transcript holed = transcript_;
      holed.start.passive = true;
      Player player{protocol_, holed, {}, Cutter::random(random())};
      for (const Step& step : holed.steps) {
        if (step.what != Step::What::feed || step.octets.empty() || random() % 4 != 0) {
          if (step.what == Step::What::feed) player.play(step);
          continue;
        }
        const std::size_t begin = random() % step.octets.size();
        const std::size_t lost = 1 + random() % (step.octets.size() - begin);
        player.play(step, Bytes{step.octets}.substr(0, begin));
        player.codec().gap(step.side, random() % 2 == 0 ? 0 : lost);
        for (const PlayedUnit& unit : player.play(step, Bytes{step.octets}.substr(begin + lost)).units)
          if (step.octets.find(unit.wire) == Bytes::npos && input(step.side).find(unit.wire) == Bytes::npos)
            fail(fmt::format("line {}: a unit across a gap: {}", step.line, quote(unit.wire)));
      }
    }
  }

  // Where the gateway changed nothing, the wire on both its sides is the same, and so must be what is read of it.
  void passive() {
    const auto unchanged = [](const Played& played) {
      return std::ranges::all_of(played.units, plain) && played.outputs.empty();
    };
    if (transcript_.start.passive || !std::ranges::all_of(reference_, unchanged)) return;
    Transcript watched = transcript_;
    watched.start.passive = true;
    Player player{protocol_, watched, {}, Cutter::whole()};
    for (std::size_t i = 0; i < watched.steps.size(); ++i) {
      const Played played = player.play(watched.steps[i]);
      if (played.units != reference_[i].units)
        return fail(fmt::format("line {}: the gateway sees{}\n  but the sensor{}", watched.steps[i].line,
                                join(reference_[i].lines()), join(played.lines())));
    }
  }

  const Protocol& protocol_;
  const Transcript& transcript_;
  const std::string name_;
  const std::uint64_t seed_;
  Decisions decisions_;
  std::vector<Played> reference_;
  std::vector<std::string> failures_;
};

std::uint64_t chosen_seed() {
  if (const char* seed = std::getenv("CHANCERY_SEED")) return std::strtoull(seed, nullptr, 10);
  return std::random_device{}();
}

}  // namespace

std::vector<std::string> check_transcript(const Protocol& protocol, const Transcript& transcript,
                                          const std::string& name, std::uint64_t seed) {
  return Check{protocol, transcript, name, seed}.run();
}

std::vector<std::string> check_transcript(const Protocol& protocol, const std::filesystem::path& file) {
  auto transcript = load_transcript(file);
  if (!transcript) return {transcript.error()};
  if (transcript->protocol != protocol.name)
    return {fmt::format("{}: its protocol is {}, not {}", file.string(), transcript->protocol, protocol.name)};
  if (const char* bless = std::getenv("CHANCERY_BLESS"); bless && std::string_view{bless} == "1") {
    const Check check{protocol, *transcript, file.string(), 0};
    for (std::size_t i = 0; i < transcript->steps.size(); ++i)
      transcript->steps[i].expected = check.reference()[i].lines();
    std::ofstream{file, std::ios::binary | std::ios::trunc} << format_transcript(*transcript);
  }
  return check_transcript(protocol, *transcript, file.filename().string(), chosen_seed());
}

}  // namespace chancery::testing
