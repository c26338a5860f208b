#include "yaml/yaml.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <sstream>
#include <system_error>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "core/utf8.h"
#include "yaml/nearest.h"

namespace chancery::yaml {
namespace {

std::string where(std::string_view file, int line, std::string_view path) {
  std::string out{file};
  if (line > 0) out += fmt::format(":{}", line);
  if (!path.empty()) out += fmt::format(": {}", path);
  return out;
}

// What stands in a message is cut: a value can be a whole policy that was indented wrongly.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 60;
  return text.size() <= kShownMax ? fmt::format("\"{}\"", text)
                                  : fmt::format("\"{}…\"", to_utf8_lossy(text.substr(0, kShownMax)));
}

}  // namespace

Error::Error(std::string_view file, int line, std::string_view path, std::string_view message)
    : std::runtime_error(fmt::format("{}: {}", where(file, line, path), message)), line_(line) {}

std::string join(std::span<const std::string_view> words) { return fmt::format("{}", fmt::join(words, ", ")); }

struct Value::Node {
  enum class Type : std::uint8_t { null, text, list, map };
  Type type = Type::null;
  bool quoted = false;
  int line = 1;
  std::string key;  // of this node in its map
  std::string text;
  std::vector<Node> children;
};

struct Value::Document {
  std::string file;
  Node root;
  KnownKeys* known = nullptr;
};

// Builds our own tree from yaml-cpp's events: its Node would resolve aliases and hide doubled keys.
class Value::Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, Node& root) : file_(file), root_(root) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, Node::Type::null); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias (*name) is not allowed here");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag != "?" && tag != "!") refuse(mark, "a tag (!name) is not allowed here");
    if (expects_key()) {
      take_key(mark, value);
      return;
    }
    Node* node = add(mark, anchor, Node::Type::text);
    node->text = value;
    node->quoted = tag == "!";
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::Type::list);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, Node::Type::map);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Open {
    Node* node;
    bool has_key = false;
    std::string key;
    int key_line = 0;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string_view message) const {
    throw Error(file_, mark.line + 1, "", message);
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node->type == Node::Type::map && !open_.back().has_key;
  }

  void take_key(const YAML::Mark& mark, const std::string& key) {
    for (const auto& child : open_.back().node->children)
      if (child.key == key)
        refuse(mark, fmt::format("the key {} is here twice, first in line {}", shown(key), child.line));
    open_.back().has_key = true;
    open_.back().key = key;
    open_.back().key_line = mark.line + 1;
  }

  Node* add(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Type type) {
    if (anchor != 0) refuse(mark, "an anchor (&name) is not allowed here");
    if (expects_key()) refuse(mark, "a key must be a word");
    Node* node = &root_;
    if (!open_.empty()) {
      auto& parent = open_.back();
      node = &parent.node->children.emplace_back();
      node->line = mark.line + 1;
      if (parent.has_key) {
        node->key = std::move(parent.key);
        node->line = parent.key_line;
        parent.has_key = false;
      }
    } else {
      node->line = mark.line + 1;
    }
    node->type = type;
    return node;
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Type type) {
    if (open_.size() >= kDepthMax) refuse(mark, fmt::format("nested deeper than {}", kDepthMax));
    // The parent's children do not grow while a child is open, so the pointer stays good.
    open_.push_back({add(mark, anchor, type), false, {}, 0});
  }

  const std::string& file_;
  Node& root_;
  std::vector<Open> open_;
};

Value::Value(std::shared_ptr<const Document> document, const Node* node, std::string path)
    : document_(std::move(document)), node_(node), path_(std::move(path)) {}

Value Value::parse(std::string_view text, std::string file, KnownKeys* known) {
  if (text.size() > kTextSizeMax) throw Error(file, 0, "", fmt::format("larger than {} octets", kTextSizeMax));
  if (!is_utf8(text)) throw Error(file, 0, "", "not UTF-8");
  auto document = std::make_shared<Document>();
  document->file = std::move(file);
  document->known = known;
  try {
    std::istringstream in{std::string{text}};
    YAML::Parser parser(in);
    Builder builder(document->file, document->root);
    if (!parser.HandleNextDocument(builder)) throw Error(document->file, 0, "", "empty: nothing is configured");
    Node second;
    Builder rest(document->file, second);
    if (parser.HandleNextDocument(rest)) throw Error(document->file, second.line, "", "a second document (---)");
  } catch (const YAML::Exception& e) {
    throw Error(document->file, e.mark.line + 1, "", fmt::format("not YAML: {}", e.msg));
  }
  const Node* root = &document->root;
  return Value{std::move(document), root, ""};
}

int Value::line() const { return node_->line; }
bool Value::is_text() const { return node_->type == Node::Type::text; }
bool Value::is_list() const { return node_->type == Node::Type::list; }
bool Value::is_map() const { return node_->type == Node::Type::map; }

void Value::fail(std::string_view message) const { throw Error(document_->file, node_->line, path_, message); }

const char* Value::type_name() const {
  switch (node_->type) {
    case Node::Type::null:
      return "nothing";
    case Node::Type::text:
      return "a single value";
    case Node::Type::list:
      return "a list";
    case Node::Type::map:
      return "a map";
  }
  return "something else";
}

std::string Value::child_path(std::string_view key) const {
  return path_.empty() ? std::string{key} : fmt::format("{}.{}", path_, key);
}

namespace {

// "listeners[3].route" → "listeners[].route": one entry of KnownKeys for all items of a list.
std::string without_numbers(std::string_view path) {
  std::string out;
  bool in_brackets = false;
  for (const char c : path) {
    if (c == ']') in_brackets = false;
    if (!in_brackets) out += c;
    if (c == '[') in_brackets = true;
  }
  return out;
}

}  // namespace

Map Value::map(std::span<const std::string_view> keys) const {
  if (!is_map()) fail(fmt::format("{} where a map was expected, with the keys {}", type_name(), join(keys)));
  for (const auto& child : node_->children) {
    if (std::ranges::find(keys, child.key) != keys.end()) continue;
    const auto guess = nearest(child.key, keys);
    const auto hint = guess.empty() ? fmt::format("the keys here are {}", join(keys))
                                    : fmt::format("did you mean `{}`? The keys here are {}", guess, join(keys));
    throw Error(document_->file, child.line, child_path(child.key), fmt::format("unknown key; {}", hint));
  }
  if (document_->known) (*document_->known)[without_numbers(path_)].insert(keys.begin(), keys.end());
  return Map{*this, keys};
}

std::vector<std::pair<std::string, Value>> Value::entries() const {
  if (!is_map()) fail(fmt::format("{} where a map of names was expected", type_name()));
  std::vector<std::pair<std::string, Value>> out;
  out.reserve(node_->children.size());
  for (const auto& child : node_->children)
    out.emplace_back(child.key, Value{document_, &child, child_path(child.key)});
  return out;
}

std::vector<Value> Value::list() const {
  if (!is_list()) fail(fmt::format("{} where a list was expected", type_name()));
  std::vector<Value> out;
  out.reserve(node_->children.size());
  for (std::size_t i = 0; i < node_->children.size(); ++i)
    out.push_back(Value{document_, &node_->children[i], fmt::format("{}[{}]", path_, i)});
  return out;
}

std::string Value::text() const {
  if (!is_text()) fail(fmt::format("{} where a single value was expected", type_name()));
  return node_->text;
}

std::string Value::text_not_empty() const {
  auto out = text();
  if (out.empty()) fail("must not be empty");
  return out;
}

std::vector<std::string> Value::texts() const {
  if (is_text()) return {text()};
  if (!is_list()) fail(fmt::format("{} where a value or a list of values was expected", type_name()));
  std::vector<std::string> out;
  out.reserve(node_->children.size());
  for (const auto& item : list()) out.push_back(item.text());
  return out;
}

bool Value::boolean() const {
  const auto word = text();
  if (word == "true" && !node_->quoted) return true;
  if (word == "false" && !node_->quoted) return false;
  fail(fmt::format("{} is not valid: true or false", shown(word)));
}

std::int64_t Value::number(std::int64_t min, std::int64_t max) const {
  const auto word = text();
  std::int64_t out = 0;
  const auto* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, out);
  if (error != std::errc{} || rest != end || out < min || out > max)
    fail(fmt::format("{} is not valid: a whole number from {} to {}", shown(word), min, max));
  return out;
}

std::size_t Value::choice(std::span<const std::string_view> words) const {
  const auto word = text();
  const auto found = std::ranges::find(words, word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  const auto guess = nearest(word, words);
  fail(fmt::format("{} is not valid; {}one of {}", shown(word),
                   guess.empty() ? "" : fmt::format("did you mean `{}`? It is ", guess), join(words)));
}

std::optional<Value> Map::find(std::string_view key) const {
  if (std::ranges::find(keys_, key) == keys_.end())
    throw std::logic_error(fmt::format("configuration key {} is read but not declared", key));
  for (const auto& child : value_.node_->children)
    if (child.key == key) return Value{value_.document_, &child, value_.child_path(key)};
  return std::nullopt;
}

Value Map::at(std::string_view key) const {
  if (auto found = find(key)) return *std::move(found);
  value_.fail(fmt::format("the key `{}` is missing", key));
}

}  // namespace chancery::yaml
