#pragma once
// Reading configuration strictly. YAML 1.2 as the operator writes it, checked value by value: a key that is not known,
// a key said twice, a value of the wrong type or out of range is an Error that names file, line and key and says what
// would be valid. The only file that knows yaml-cpp is yaml.cc.
//
// Left out on purpose: anchors, aliases, merge keys and tags (what is written is what is meant), and several documents
// in one file.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chancery::yaml {

inline constexpr std::size_t kTextSizeMax = 16U << 20;  // octets of one file
inline constexpr std::size_t kDepthMax = 32;            // nested lists and maps

class Error : public std::runtime_error {
 public:
  // "gateway.yaml:12: listeners[0].tls: …"; an empty path and line 0 are left out.
  Error(std::string_view file, int line, std::string_view path, std::string_view message);
  int line() const { return line_; }

 private:
  int line_;
};

// For tests: which keys each place of the document may have ("listeners[].route" → {"address", …}).
using KnownKeys = std::map<std::string, std::set<std::string>>;

class Map;

// One value of a document. Cheap to copy; keeps the whole document alive.
class Value {
 public:
  // The root of `text`, as UTF-8. `file` is only for messages. `known`, if given, outlives all values.
  static Value parse(std::string_view text, std::string file, KnownKeys* known = nullptr);

  int line() const;  // from 1
  const std::string& path() const { return path_; }
  bool is_text() const;
  bool is_list() const;
  bool is_map() const;

  // A map that has no other keys than `keys`. Throws Error.
  Map map(std::span<const std::string_view> keys) const;
  // Keys that the operator chooses (names of groups): in the order of the file.
  std::vector<std::pair<std::string, Value>> entries() const;
  std::vector<Value> list() const;
  std::string text() const;                // a scalar of any kind, as written; null: an Error
  std::string text_not_empty() const;      // the same, without being ""
  std::vector<std::string> texts() const;  // a list of scalars, or one scalar as a list of one
  bool boolean() const;                    // true | false
  std::int64_t number(std::int64_t min, std::int64_t max) const;
  std::size_t choice(std::span<const std::string_view> words) const;  // index of the word

  [[noreturn]] void fail(std::string_view message) const;

 private:
  friend class Map;
  struct Node;
  struct Document;
  class Builder;
  Value(std::shared_ptr<const Document> document, const Node* node, std::string path);
  const char* type_name() const;
  std::string child_path(std::string_view key) const;

  std::shared_ptr<const Document> document_;
  const Node* node_;
  std::string path_;
};

class Map {
 public:
  // Asking for a key that was not among those the map was opened with is a mistake of ours: std::logic_error.
  std::optional<Value> find(std::string_view key) const;
  Value at(std::string_view key) const;  // absent: Error "… is missing"
  const Value& value() const { return value_; }

 private:
  friend class Value;
  Map(Value value, std::span<const std::string_view> keys)
      : value_(std::move(value)), keys_(keys.begin(), keys.end()) {}
  Value value_;
  std::vector<std::string_view> keys_;
};

// "a, b, c"
std::string join(std::span<const std::string_view> words);

}  // namespace chancery::yaml
