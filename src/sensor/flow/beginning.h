#pragma once
// What a flow has carried so far, kept until the flow is named: the classifier looks at it, and a reader is then given
// all of it in the order and with the times in which it came. Bounded by kPrefixMax and kDatagramsMax (classifier.h).
// Objects are used again, so a flow costs no allocation once there have been a few.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sensor/classify/classifier.h"

namespace chancery::sensor {

class FlowReader;

class Beginning {
 public:
  std::size_t octets(Side from, Bytes octets, Instant time);  // TCP; how many are kept
  void lost(Side from, std::uint32_t count);
  void finished(Side from);
  std::size_t datagram(Side from, Bytes octets, Instant time);  // UDP; likewise

  bool full(Transport transport) const;
  // The views of `start` that show what is kept; they end with the next change.
  void show(FlowStart& start);
  void swap_sides(Transport transport);
  // Gives all of it to `reader`; false: it wants no more.
  bool replay(FlowReader& reader, Transport transport) const;

  std::unique_ptr<FlowNotes> notes;  // the classifier's
  bool asked = false;                // the classifier was asked for notes
  bool grown = false;                // there is something new to look at

  void clear();
  std::size_t size() const { return texts_[0].size() + texts_[1].size(); }
  std::size_t memory() const { return texts_[0].capacity() + texts_[1].capacity(); }

 private:
  struct Mark {
    enum class What : std::uint8_t { octets, lost, finished };
    What what;
    Side side;
    std::uint32_t count;
    Instant time;
  };
  static constexpr std::size_t kMarksMax = 2 * kPrefixMax / 64;  // more pieces than that: joined with the one before
  void mark(Mark::What what, Side side, std::uint32_t count, Instant time);

  std::array<std::string, 2> texts_;  // UDP: all datagrams one after the other, in the first
  std::array<std::uint32_t, 2> shown_from_{};
  std::array<bool, 2> gap_{};
  std::vector<Mark> marks_;
  std::vector<Datagram> datagrams_;
};

// Hands out cleared objects and takes them back.
class BeginningPool {
 public:
  struct Return {
    BeginningPool* pool = nullptr;
    void operator()(Beginning* beginning) const { pool->give_back(beginning); }
  };
  std::unique_ptr<Beginning, Return> take();
  std::size_t in_use() const { return in_use_; }

 private:
  static constexpr std::size_t kKept = 1'024;       // free objects kept
  static constexpr std::size_t kMemoryMax = 4'096;  // of a kept one
  void give_back(Beginning* beginning);

  std::vector<std::unique_ptr<Beginning>> free_;
  std::size_t in_use_ = 0;
};
using BeginningPtr = std::unique_ptr<Beginning, BeginningPool::Return>;

}  // namespace chancery::sensor
