#include "sensor/read/http_messages.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace chancery::sensor {
namespace {

constexpr std::size_t kLineMax = 256;  // of the chunked coding: a size with extensions, or a trailer

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_folded(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

std::string_view http_field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find('\n'); at != head.npos; at = head.find('\n', at + 1)) {
    const std::string_view line = head.substr(at + 1, head.find('\n', at + 1) - at - 1);
    if (line.size() > name.size() && line[name.size()] == ':' && same_folded(line.substr(0, name.size()), name))
      return trimmed(line.substr(name.size() + 1));
  }
  return {};
}

bool contains_folded(std::string_view text, std::string_view lower_case) {
  return !std::ranges::search(text, lower_case, [](char x, char y) { return lower(x) == y; }).empty();
}

void HttpMessages::octets(Bytes in, Output& output) {
  rest_ = {};
  if (state_ == State::lost && begins_head(in)) state_ = State::head;
  while (!in.empty()) {
    switch (state_) {
      case State::head:
        in = read_head(in, output);
        break;
      case State::counted:
      case State::chunk:
        in = read_counted(in, output);
        break;
      case State::chunk_size:
      case State::chunk_end:
      case State::trailer:
        in = read_line(in, output);
        break;
      case State::until_end:
        if (output.wants_body()) output.body(in);
        return;
      case State::lost:
        return;
      case State::stopped:
        rest_ = in;
        return;
    }
  }
}

void HttpMessages::lost(std::uint64_t count) {
  const bool in_body = (state_ == State::counted || state_ == State::chunk) && left_ > count && count > 0;
  if (in_body)
    left_ -= count;
  else if (state_ != State::until_end && state_ != State::stopped)
    state_ = State::lost;
  if (state_ == State::lost) head_.clear();
}

bool HttpMessages::begins_head(Bytes in) const {
  if (!requests_) return in.starts_with("HTTP/1.");
  const std::size_t space = in.find(' ');
  constexpr std::size_t kMethodMax = 17;  // UPDATEREDIRECTREF, the longest registered
  return space != in.npos && space > 2 && space <= kMethodMax &&
         std::ranges::all_of(in.substr(0, space), [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
}

Bytes HttpMessages::read_head(Bytes in, Output& output) {
  const auto end_of = [](Bytes text, std::size_t from) {
    // A bare LF is accepted as a line's end (RFC 9112 §2.2).
    for (std::size_t at = text.find('\n', from); at != text.npos; at = text.find('\n', at + 1)) {
      if (text.substr(at + 1).starts_with("\r\n")) return at + 3;
      if (text.substr(at + 1).starts_with('\n')) return at + 2;
    }
    return text.npos;
  };
  if (head_.empty()) {
    const std::size_t blank = in.find_first_not_of("\r\n");  // RFC 9112 §2.2: empty lines before a request line
    if (blank == in.npos) return {};
    in.remove_prefix(blank);
    if (const std::size_t end = end_of(in, 0); end != in.npos) {
      if (end > kHttpHeadMax || !begins_head(in)) {
        state_ = State::lost;
        return {};
      }
      const std::string_view head = in.substr(0, end);
      return begin_body(head, output.head(head), in.substr(end), output);
    }
  }
  const std::size_t had = head_.size();
  const Bytes taken = in.substr(0, kHttpHeadMax - std::min(had, kHttpHeadMax));
  head_.append(taken);
  const std::size_t end = end_of(head_, had < 4 ? 0 : had - 4);
  if (end == Bytes::npos) {
    if (head_.size() >= kHttpHeadMax || (head_.size() > 24 && !begins_head(head_))) {
      head_.clear();
      state_ = State::lost;
      return {};
    }
    return {};
  }
  const Bytes behind = in.substr(end - had);
  const std::string head = std::exchange(head_, {}).substr(0, end);
  return begin_body(head, output.head(head), behind, output);
}

// RFC 9112 §6.3.
Bytes HttpMessages::begin_body(std::string_view head, bool has_body, Bytes in, Output& output) {
  if (state_ == State::stopped) return in;
  state_ = State::head;
  if (!has_body) {
    output.body_end();
    return in;
  }
  if (contains_folded(http_field(head, "transfer-encoding"), "chunked")) {
    state_ = State::chunk_size;
    return in;
  }
  const std::string_view length = http_field(head, "content-length");
  left_ = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), left_);
  if (!length.empty() && (error != std::errc{} || end != length.data() + length.size())) {
    state_ = State::lost;
    return {};
  }
  if (length.empty() && !requests_) {
    state_ = State::until_end;
  } else if (left_ > 0) {
    state_ = State::counted;
  } else {
    output.body_end();
  }
  return in;
}

Bytes HttpMessages::read_counted(Bytes in, Output& output) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), left_));
  if (output.wants_body()) output.body(in.substr(0, count));
  left_ -= count;
  if (left_ == 0) {
    const bool was_chunk = state_ == State::chunk;
    state_ = was_chunk ? State::chunk_end : State::head;
    if (!was_chunk) output.body_end();
  }
  return in.substr(count);
}

// A line of the chunked coding (RFC 9112 §7.1).
Bytes HttpMessages::read_line(Bytes in, Output& output) {
  const std::size_t end = in.find('\n');
  head_.append(in.substr(0, std::min(end, kLineMax)));
  if (head_.size() > kLineMax && state_ != State::trailer) {
    head_.clear();
    state_ = State::lost;
    return {};
  }
  if (end == in.npos) return {};
  const std::string line = std::exchange(head_, {});
  const bool empty = line.empty() || line == "\r";
  if (state_ == State::chunk_end) {
    state_ = State::chunk_size;
  } else if (state_ == State::trailer) {
    if (empty) {
      state_ = State::head;
      output.body_end();
    }
  } else {
    left_ = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
    if (error != std::errc{})
      state_ = State::lost;
    else
      state_ = left_ == 0 ? State::trailer : State::chunk;
  }
  return in.substr(end + 1);
}

}  // namespace chancery::sensor
