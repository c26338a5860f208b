#pragma once
// One direction of HTTP/1 (RFC 9112): heads one after the other, bodies counted, and given on only where they are
// wanted. After a gap, or a head that is too long, it goes on at the next chunk of octets that begins like a head.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace chancery::sensor {

inline constexpr std::size_t kHttpHeadMax = 16 * 1024;

// The value of a field of `head` (its first line and fields), without case; empty: it is not there.
std::string_view http_field(std::string_view head, std::string_view name);
bool contains_folded(std::string_view text, std::string_view lower);  // `lower` in lower case

class HttpMessages {
 public:
  // What is said to the one who reads.
  class Output {
   public:
    // `head` ends before the empty line. Returns whether there is a body at all (a response to HEAD has none).
    virtual bool head(std::string_view head) = 0;
    virtual bool wants_body() const = 0;
    virtual void body(Bytes octets) = 0;
    virtual void body_end() = 0;

   protected:
    ~Output() = default;
  };

  HttpMessages(bool requests, bool midstream) : requests_(requests), state_(midstream ? State::lost : State::head) {}

  void octets(Bytes octets, Output& output);
  void lost(std::uint64_t count);
  void restart() { *this = HttpMessages{requests_, false}; }  // a head comes next
  // What follows is not HTTP any more: octets() then returns them from `take`.
  void stop() { state_ = State::stopped; }
  Bytes rest() const { return rest_; }  // behind the head at which `stop` was called

  std::size_t memory() const { return head_.capacity(); }

 private:
  enum class State : std::uint8_t { head, counted, chunk_size, chunk, chunk_end, trailer, until_end, lost, stopped };

  Bytes read_head(Bytes in, Output& output);
  Bytes begin_body(std::string_view head, bool has_body, Bytes in, Output& output);
  Bytes read_counted(Bytes in, Output& output);
  Bytes read_line(Bytes in, Output& output);
  bool begins_head(Bytes in) const;

  bool requests_;
  State state_;
  std::string head_;  // or a line of the chunked coding
  std::uint64_t left_ = 0;
  Bytes rest_;
};

}  // namespace chancery::sensor
