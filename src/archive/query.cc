#include "archive/query.h"

#include <algorithm>
#include <fmt/format.h>

#include "archive/words.h"
#include "core/utf8.h"
#include "event/decision.h"
#include "event/event.h"

namespace chancery::archive {
namespace {

constexpr std::string_view kValid =
    "A query is made of words, \"phrases\", prefix*, NEAR(word word, 5), AND, OR, NOT and parentheses.";
constexpr int kNearDefault = 10, kNearMax = 1000;

class WordList final : public WordSink {
 public:
  bool word(const Word& word) override {
    words.emplace_back(word.folded);
    return true;
  }
  std::vector<std::string> words;
};

std::vector<std::string> words_of(std::string_view text) {
  WordList list;
  cut_words(text, WordsFor::query, list);
  return std::move(list.words);
}

struct Token {
  enum class Type : std::uint8_t { end, word, phrase, open, close, comma, op_and, op_or, op_not, near };
  Type type = Type::end;
  std::string_view text;
  bool prefix = false;
  std::size_t at = 0;  // octet where it begins
};

// Splits a query into tokens. A problem is a token of type `end` with `problem` set.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Token next() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ >= text_.size()) return {Token::Type::end, {}, false, at_};
    const std::size_t begin = at_;
    switch (text_[at_]) {
      case '(':
        return single(Token::Type::open);
      case ')':
        return single(Token::Type::close);
      case ',':
        return single(Token::Type::comma);
      case '"':
        return phrase(begin);
      default:
        return word(begin);
    }
  }
  const std::string& problem() const { return problem_; }

 private:
  static bool is_space(char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; }
  static bool ends_word(char c) { return is_space(c) || c == '(' || c == ')' || c == '"' || c == '*'; }

  Token single(Token::Type type) {
    ++at_;
    return {type, text_.substr(at_ - 1, 1), false, at_ - 1};
  }

  bool take_star() {
    if (at_ >= text_.size() || text_[at_] != '*') return false;
    ++at_;
    return true;
  }

  Token phrase(std::size_t begin) {
    const std::size_t close = text_.find('"', begin + 1);
    if (close == std::string_view::npos) {
      problem_ = fmt::format("The quotation mark at character {} is never closed.", begin + 1);
      at_ = text_.size();
      return {};
    }
    at_ = close + 1;
    const bool prefix = take_star();
    return {Token::Type::phrase, text_.substr(begin + 1, close - begin - 1), prefix, begin};
  }

  Token word(std::size_t begin) {
    while (at_ < text_.size() && !ends_word(text_[at_]) && text_[at_] != ',') ++at_;
    const std::string_view text = text_.substr(begin, at_ - begin);
    if (text == "AND") return {Token::Type::op_and, text, false, begin};
    if (text == "OR") return {Token::Type::op_or, text, false, begin};
    if (text == "NOT") return {Token::Type::op_not, text, false, begin};
    if (text == "NEAR" && at_ < text_.size() && text_[at_] == '(') return {Token::Type::near, text, false, begin};
    return {Token::Type::word, text, take_star(), begin};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string problem_;
};

// A recursive-descent parser; its depth is bounded by kQueryDepthMax. Writes the FTS5 expression as it goes.
class Parser {
 public:
  explicit Parser(std::string_view text) : scanner_(text) { advance(); }

  std::expected<std::string, QueryProblem> parse() {
    std::string match = alternatives();
    if (problem_.empty() && token_.type != Token::Type::end)
      fail(fmt::format("\"{}\" at character {} does not belong there.", token_.text, token_.at + 1));
    if (!problem_.empty()) return std::unexpected(problem_ + " " + std::string{kValid});
    return match;
  }
  std::vector<Term>& terms() { return terms_; }

 private:
  using Type = Token::Type;

  void advance() {
    token_ = scanner_.next();
    if (!scanner_.problem().empty()) fail(scanner_.problem());
  }
  void fail(std::string sentence) {
    if (problem_.empty()) problem_ = std::move(sentence);
    token_ = {};  // nothing more is read
  }
  bool begins_operand() const {
    return token_.type == Type::word || token_.type == Type::phrase || token_.type == Type::open ||
           token_.type == Type::near;
  }

  std::string alternatives() {
    std::string match = conjunction();
    while (token_.type == Type::op_or) {
      advance();
      match = fmt::format("({} OR {})", match, conjunction());
    }
    return match;
  }

  std::string conjunction() {
    std::string match = exclusion();
    while (token_.type == Type::op_and || begins_operand()) {
      if (token_.type == Type::op_and) advance();
      match = fmt::format("({} AND {})", match, exclusion());
    }
    return match;
  }

  std::string exclusion() {
    std::string match = operand();
    while (token_.type == Type::op_not) {
      advance();
      const bool showing = std::exchange(showing_, false);
      match = fmt::format("({} NOT {})", match, operand());
      showing_ = showing;
    }
    return match;
  }

  std::string operand() {
    switch (token_.type) {
      case Type::word:
      case Type::phrase:
        return term();
      case Type::near:
        return near();
      case Type::open:
        return group();
      case Type::op_not:
        fail("NOT needs something before it, from which it takes away: `budget NOT draft`.");
        return {};
      case Type::end:
        fail("Something is missing at the end.");
        return {};
      default:
        fail(fmt::format("\"{}\" at character {} does not belong there.", token_.text, token_.at + 1));
        return {};
    }
  }

  std::string group() {
    if (++depth_ > kQueryDepthMax) {
      fail(fmt::format("Parentheses stand in each other more than {} deep.", kQueryDepthMax));
      return {};
    }
    advance();
    std::string match = alternatives();
    if (problem_.empty() && token_.type != Type::close) fail("A parenthesis is never closed.");
    advance_if_fine();
    --depth_;
    return match;
  }

  void advance_if_fine() {
    if (problem_.empty()) advance();
  }

  // "…" in FTS5: a string, cut into words by our own tokenizer. Control characters are no part of any word.
  static std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"') out += '"';
      out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return out + '"';
  }

  std::string term() {
    const Token token = token_;
    auto words = words_of(token.text);
    if (words.empty()) {
      fail(fmt::format("\"{}\" at character {} has no letter or digit to look for.", token.text, token.at + 1));
      return {};
    }
    if (++count_ > kQueryTermsMax) {
      fail(fmt::format("There are more than {} words and phrases.", kQueryTermsMax));
      return {};
    }
    if (showing_) terms_.push_back({std::move(words), token.prefix});
    advance();
    return quoted(token.text) + (token.prefix ? " *" : "");
  }

  // NEAR ( term term… [, number] )
  std::string near() {
    advance();  // the parenthesis: the scanner gives `near` only before one
    advance();
    std::string match = "NEAR(";
    while (token_.type == Type::word || token_.type == Type::phrase) match += term() + " ";
    if (problem_.empty() && match == "NEAR(") fail("NEAR needs words between its parentheses: `NEAR(word word, 5)`.");
    int distance = kNearDefault;
    if (token_.type == Type::comma) {
      advance();
      distance = number();
    }
    if (problem_.empty() && token_.type != Type::close) fail("NEAR is written `NEAR(word word, 5)`.");
    advance_if_fine();
    return match + fmt::format(", {})", distance);
  }

  int number() {
    int value = 0;
    for (const char c : token_.text)
      value = c >= '0' && c <= '9' && value <= kNearMax ? value * 10 + (c - '0') : kNearMax + 1;
    if (token_.type != Type::word || value > kNearMax) {
      fail(fmt::format("After the comma NEAR takes a number from 0 to {}.", kNearMax));
      return 0;
    }
    advance();
    return value;
  }

  Scanner scanner_;
  Token token_;
  std::string problem_;
  std::vector<Term> terms_;
  int depth_ = 0;
  int count_ = 0;
  bool showing_ = true;  // false inside what NOT takes away
};

// One tag as an FTS5 string. Values that hold a tag mark cannot have been written by append_tag.
std::string quoted_tag(Tag tag, std::string_view value) {
  std::string text;
  append_tag(text, tag, value);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

// Addresses may be given without their domain: then any domain will do.
std::string address_match(Tag tag, std::string_view value) {
  const std::string whole = quoted_tag(tag, value);
  if (value.find('@') != std::string_view::npos) return whole;
  return fmt::format("{} OR {} *", whole, quoted_tag(tag, std::string{value} + "@"));
}

class Conditions {
 public:
  void addresses(Tag tag, const std::vector<std::string>& values) {
    add(values, [&](const std::string& value) { return address_match(tag, value); });
  }
  void names(Tag tag, const std::vector<std::string>& values) {
    add(values, [&](const std::string& value) { return quoted_tag(tag, value); });
  }
  std::string joined() const { return fmt::format("{}", fmt::join(all_, " AND ")); }

 private:
  template <class Match>
  void add(const std::vector<std::string>& values, Match match) {
    if (values.empty()) return;
    std::vector<std::string> any;
    any.reserve(values.size());
    for (const auto& value : values) any.push_back(match(value));
    all_.push_back(fmt::format("(tags : ({}))", fmt::join(any, " OR ")));
  }
  std::vector<std::string> all_;
};

std::string check_names(const Query& query) {
  for (const auto& name : query.kind)
    if (!kind_from_string(name))
      return fmt::format(
          "There is no kind \"{}\". Kinds are message, edit, retraction, reaction, history, join, leave, "
          "nick, topic, file_offer, sign_in, notice_shown, opaque, sealed, outage and others of "
          "docs/formats/record.md.",
          name);
  for (const auto& name : query.verdict)
    if (name != "forward" && name != "flag" && name != "redact" && name != "refuse" && name != "hold" && name != "seen")
      return fmt::format("There is no verdict \"{}\". Verdicts are forward, flag, redact, refuse, hold and seen.",
                         name);
  return {};
}

bool blank(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

}  // namespace

void append_tag(std::string& tags, Tag tag, std::string_view value) {
  tags += kTagMark;
  tags += static_cast<char>(tag);
  tags += ':';
  for (const char c : fold(value)) tags += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
}

std::vector<Term> terms_of(std::string_view text) {
  if (blank(text)) return {};
  Parser parser{text};
  return parser.parse() ? std::move(parser.terms()) : std::vector<Term>{};
}

std::expected<std::string, QueryProblem> to_match(const Query& query) {
  if (query.text.size() > kQuerySizeMax)
    return std::unexpected(fmt::format("The query is longer than {} octets.", kQuerySizeMax));
  if (!is_utf8(query.text)) return std::unexpected("The query is not UTF-8 text.");
  if (auto problem = check_names(query); !problem.empty()) return std::unexpected(std::move(problem));
  Conditions conditions;
  conditions.addresses(Tag::from, query.from);
  conditions.addresses(Tag::to, query.to);
  conditions.addresses(Tag::room, query.room);
  conditions.names(Tag::network, query.network);
  conditions.names(Tag::kind, query.kind);
  conditions.names(Tag::rule, query.rule);
  conditions.names(Tag::verdict, query.verdict);
  std::string filters = conditions.joined();
  if (blank(query.text)) return filters;
  auto words = Parser{query.text}.parse();
  if (!words) return words;
  const std::string match = fmt::format("(text : ({}))", *words);
  return filters.empty() ? match : match + " AND " + filters;
}

}  // namespace chancery::archive
