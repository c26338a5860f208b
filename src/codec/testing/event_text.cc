#include "codec/testing/event_text.h"

#include <fmt/format.h>

#include "codec/testing/escape.h"
#include "event/names.h"

namespace chancery::testing {
namespace {

std::string_view error_name(CodecError error) {
  switch (error) {
    case CodecError::malformed:
      return "malformed";
    case CodecError::restricted:
      return "restricted";
    case CodecError::not_utf8:
      return "not_utf8";
    case CodecError::too_large:
      return "too_large";
    case CodecError::too_deep:
      return "too_deep";
    case CodecError::too_many:
      return "too_many";
    case CodecError::out_of_order:
      return "out_of_order";
    case CodecError::after_end:
      return "after_end";
  }
  return "?";
}

void add(std::string& line, std::string_view key, Bytes value) {
  if (!value.empty()) line += fmt::format(" {}={}", key, word(value));
}

void add_list(std::string& line, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  line += fmt::format(" {}=[", key);
  for (std::size_t i = 0; i < values.size(); ++i) line += (i == 0 ? "" : " ") + word(values[i]);
  line += ']';
}

// One segment over the whole text, its wire octets the text itself.
bool stands_plainly(const TextPart& part, Bytes wire) {
  if (part.segments.size() != 1) return part.segments.empty() && part.text.empty();
  const Segment& only = part.segments.front();
  if (only.text_begin != 0 || only.text_end != part.text.size()) return false;
  if (only.wire_begin > only.wire_end || only.wire_end > wire.size()) return false;
  return wire.substr(only.wire_begin, only.wire_end - only.wire_begin) == part.text;
}

void add_text(std::string& line, const TextPart& part, Bytes wire) {
  line += fmt::format(" {}{}{}={}", to_string(part.role), part.language.empty() ? "" : ":", part.language,
                      quote(part.text));
  if (stands_plainly(part, wire)) return;
  line += " segments=[";
  for (std::size_t i = 0; i < part.segments.size(); ++i) {
    const Segment& s = part.segments[i];
    line += fmt::format("{}{}-{}@{}-{}", i == 0 ? "" : " ", s.text_begin, s.text_end, s.wire_begin, s.wire_end);
  }
  line += ']';
}

void add_file(std::string& line, const File& file) {
  std::string inner;
  add(inner, "name", file.name);
  if (file.size) inner += fmt::format(" size={}", *file.size);
  add(inner, "type", file.media_type);
  add(inner, "digest", file.digest);
  add(inner, "method", file.method);
  add(inner, "url", file.url);
  line += fmt::format(" file={{{}}}", inner.empty() ? inner : inner.substr(1));
}

}  // namespace

std::string to_line(const Event& event, Bytes wire) {
  std::string line = fmt::format("{} {}", to_string(event.kind), to_string(event.scope));
  if (event.copy != Copy::none) line += fmt::format(" copy={}", to_string(event.copy));
  if (!event.accepted) line += " not-accepted";
  if (event.action) line += " action";
  add(line, "from", event.from);
  add(line, "device", event.from_device);
  add_list(line, "to", event.to);
  add(line, "room", event.room);
  add(line, "id", event.id);
  add(line, "origin", event.origin_id);
  add(line, "ref", event.ref);
  add(line, "thread", event.thread);
  add_list(line, "present", event.present);
  if (event.stated_time) line += fmt::format(" stated={}", to_rfc3339(*event.stated_time));
  add(line, "seal", event.seal);
  if (!event.detail.empty()) line += fmt::format(" detail={}", quote(event.detail));
  for (const File& file : event.files) add_file(line, file);
  for (const TextPart& part : event.texts) add_text(line, part, wire);
  return line;
}

std::string to_line(const Secret& secret, Bytes wire) {
  if (secret.wire_begin > secret.wire_end || secret.wire_end > wire.size())
    return fmt::format("{} OUTSIDE THE WIRE {}-{}", secret.what, secret.wire_begin, secret.wire_end);
  return fmt::format("{} {}", secret.what, quote(wire.substr(secret.wire_begin, secret.wire_end - secret.wire_begin)));
}

std::string to_string(Side side) { return side == Side::client ? "C" : "S"; }

std::string to_string(std::error_code code) {
  if (!code) return "none";
  if (code.category() == make_error_code(CodecError::malformed).category())
    return std::string{error_name(static_cast<CodecError>(code.value()))};
  return fmt::format("{}:{}", code.category().name(), code.value());
}

}  // namespace chancery::testing
