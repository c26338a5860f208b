#pragma once
// Writes JSON (RFC 8259) into a string, without spaces, keys in the order they are given: so that what is written is
// the same octets each time. Strings that are not UTF-8 are written with U+FFFD in place of what is ill-formed.
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace chancery {

// Appends `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

// The caller balances begin and end; nothing checks it.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}  // borrowed; appended to

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view{text}); }
  JsonWriter& value(bool truth);
  template <std::integral Number>
  JsonWriter& value(Number number) {
    if constexpr (std::signed_integral<Number>)
      return signed_value(static_cast<std::int64_t>(number));
    else
      return unsigned_value(static_cast<std::uint64_t>(number));
  }
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // one value that is JSON already

  template <class Value>
  JsonWriter& member(std::string_view name, const Value& v) {
    return key(name).value(v);
  }

 private:
  JsonWriter& signed_value(std::int64_t number);
  JsonWriter& unsigned_value(std::uint64_t number);
  void separate();

  std::string& out_;
  bool comma_ = false;  // the next value or key needs a comma before it
};

}  // namespace chancery
