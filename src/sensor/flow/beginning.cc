#include "sensor/flow/beginning.h"

#include <algorithm>

#include "sensor/flow/flow.h"

namespace chancery::sensor {
namespace {

std::size_t index(Side side) { return static_cast<std::size_t>(side); }

}  // namespace

std::size_t Beginning::octets(Side from, Bytes octets, Instant time) {
  std::string& text = texts_[index(from)];
  const Bytes kept = octets.substr(0, kPrefixMax - std::min(kPrefixMax, text.size()));
  if (kept.empty()) return 0;
  text.append(kept);
  mark(Mark::What::octets, from, static_cast<std::uint32_t>(kept.size()), time);
  grown = true;
  return kept.size();
}

void Beginning::lost(Side from, std::uint32_t count) {
  shown_from_[index(from)] = static_cast<std::uint32_t>(texts_[index(from)].size());
  gap_[index(from)] = true;
  mark(Mark::What::lost, from, count, {});
}

void Beginning::finished(Side from) { mark(Mark::What::finished, from, 0, {}); }

std::size_t Beginning::datagram(Side from, Bytes octets, Instant time) {
  std::string& text = texts_[0];
  if (marks_.size() >= kDatagramsMax || text.size() >= kDatagramBytesMax) return 0;
  const Bytes kept = octets.substr(0, kDatagramBytesMax - text.size());
  text.append(kept);
  marks_.push_back({Mark::What::octets, from, static_cast<std::uint32_t>(kept.size()), time});
  grown = true;
  return kept.size();
}

void Beginning::mark(Mark::What what, Side side, std::uint32_t count, Instant time) {
  const bool joins = what == Mark::What::octets && marks_.size() >= kMarksMax && marks_.back().what == what &&
                     marks_.back().side == side;
  if (joins) {
    marks_.back().count += count;
    marks_.back().time = time;
  } else {
    marks_.push_back({what, side, count, time});
  }
}

bool Beginning::full(Transport transport) const {
  if (transport == Transport::udp) return marks_.size() >= kDatagramsMax || texts_[0].size() >= kDatagramBytesMax;
  return texts_[0].size() >= kPrefixMax || texts_[1].size() >= kPrefixMax || marks_.size() >= 2 * kMarksMax;
}

void Beginning::show(FlowStart& start) {
  if (start.transport == Transport::tcp) {
    start.client_octets = Bytes{texts_[0]}.substr(shown_from_[0]);
    start.server_octets = Bytes{texts_[1]}.substr(shown_from_[1]);
    start.client_gap = gap_[0];
    start.server_gap = gap_[1];
    return;
  }
  datagrams_.clear();
  std::size_t at = 0;
  for (const Mark& mark : marks_) {
    datagrams_.push_back({mark.side, Bytes{texts_[0]}.substr(at, mark.count), mark.time});
    at += mark.count;
  }
  start.datagrams = datagrams_;
}

void Beginning::swap_sides(Transport transport) {
  if (transport == Transport::tcp) std::swap(texts_[0], texts_[1]);
  std::swap(shown_from_[0], shown_from_[1]);
  std::swap(gap_[0], gap_[1]);
  for (Mark& mark : marks_) mark.side = other(mark.side);
}

bool Beginning::replay(FlowReader& reader, Transport transport) const {
  std::array<std::size_t, 2> at{};
  for (const Mark& mark : marks_) {
    const std::size_t side = transport == Transport::tcp ? index(mark.side) : 0;
    switch (mark.what) {
      case Mark::What::octets:
        if (!reader.octets(mark.side, Bytes{texts_[side]}.substr(at[side], mark.count), mark.time)) return false;
        at[side] += mark.count;
        break;
      case Mark::What::lost:
        reader.lost(mark.side, mark.count);
        break;
      case Mark::What::finished:
        reader.finished(mark.side);
        break;
    }
  }
  return true;
}

void Beginning::clear() {
  for (auto& text : texts_) text.clear();
  shown_from_ = {};
  gap_ = {};
  marks_.clear();
  datagrams_.clear();
  notes.reset();
  asked = grown = false;
}

BeginningPtr BeginningPool::take() {
  ++in_use_;
  Beginning* given = nullptr;
  if (free_.empty()) {
    given = new Beginning;
  } else {
    given = free_.back().release();
    free_.pop_back();
  }
  return BeginningPtr{given, Return{this}};
}

void BeginningPool::give_back(Beginning* beginning) {
  --in_use_;
  std::unique_ptr<Beginning> back{beginning};
  if (free_.size() >= kKept || back->memory() > kMemoryMax) return;
  back->clear();
  free_.push_back(std::move(back));
}

}  // namespace chancery::sensor
