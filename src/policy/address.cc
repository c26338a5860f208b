#include "policy/address.h"

#include <algorithm>
#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include "yaml/nearest.h"

namespace chancery::policy {
namespace {

constexpr std::size_t kPatternSizeMax = 3'071;  // octets; the longest JID (RFC 7622 §3.1)
constexpr int kGroupDepthMax = 8;

char fold(char c, Casemap casemap) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  if (casemap == Casemap::irc) {
    if (c == '[') return '{';
    if (c == ']') return '}';
    if (c == '\\') return '|';
    if (c == '^') return '~';
  }
  return c;
}

// RFC 7613 §3.2 for user names comes to the same for what can be an address: NFKC and case folding.
std::string fold_unicode(std::string_view raw) {
  UErrorCode status = U_ZERO_ERROR;
  std::string out;
  const auto* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  icu::StringByteSink<std::string> sink(&out);
  if (U_SUCCESS(status))
    normalizer->normalizeUTF8(0, icu::StringPiece(raw.data(), static_cast<std::int32_t>(raw.size())), sink, nullptr,
                              status);
  return U_FAILURE(status) ? std::string{raw} : out;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string folded(std::string_view raw, Casemap casemap) {
  auto out = is_ascii(raw) ? std::string{raw} : fold_unicode(raw);
  for (char& c : out) c = fold(c, casemap);
  return out;
}

}  // namespace

Casemap casemap_of(std::string_view protocol) { return protocol == "irc" ? Casemap::irc : Casemap::unicode; }

Address::Address(std::string_view raw, Casemap casemap) : casemap_(casemap) {
  if (raw.size() <= inline_.size() && is_ascii(raw)) {
    std::ranges::transform(raw, inline_.begin(), [&](char c) { return fold(c, casemap); });
    full_ = {inline_.data(), raw.size()};
  } else {
    long_ = folded(raw, casemap);
    full_ = long_;
  }
  // A nick may hold a slash (bridges write nick/network); only a JID ends with a resource.
  bare_ = casemap == Casemap::irc ? full_ : full_.substr(0, full_.find('/'));
  const auto at = bare_.rfind('@');
  if (at != std::string_view::npos) domain_ = bare_.substr(at + 1);
}

bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

AddressSet::AddressSet(const std::vector<Written>& patterns, const Groups& groups, std::string_view file) {
  for (const auto& pattern : patterns) add(pattern, groups, file, 0);
}

void AddressSet::add(const Written& pattern, const Groups& groups, std::string_view file, int depth) {
  constexpr std::string_view kGroup = "group:";
  const auto fail = [&](std::string_view why) {
    throw yaml::Error(file, pattern.line, "", fmt::format("\"{}\": {}", pattern.text, why));
  };
  listed_ = true;
  if (pattern.text.empty() || pattern.text.size() > kPatternSizeMax) fail("not an address pattern");
  if (pattern.text.find_first_of(" \t\r\n") != std::string::npos) fail("an address pattern holds no blanks");
  if (!pattern.text.starts_with(kGroup)) {
    for (const auto casemap : {Casemap::unicode, Casemap::irc}) {
      auto& table = tables_[static_cast<std::size_t>(casemap)];
      auto text = folded(pattern.text, casemap);
      if (text.find_first_of("*!") == std::string::npos)
        table.exact.insert(std::move(text));
      else
        table.globs.push_back(std::move(text));
    }
    return;
  }
  const auto name = pattern.text.substr(kGroup.size());
  const bool external = name == "external" && !groups.contains(name);
  const auto group = groups.find(external ? "internal" : name);
  if (group == groups.end()) {
    std::vector<std::string_view> names;
    for (const auto& [known, members] : groups) names.push_back(known);
    const auto guess = yaml::nearest(name, names);
    fail(external        ? "needs `groups: internal`, which says who belongs to the organisation"
         : guess.empty() ? fmt::format("no such group; there are: {}", yaml::join(names))
                         : fmt::format("no such group; did you mean group:{}?", guess));
  }
  if (depth == kGroupDepthMax) fail("groups are nested too deep, or hold themselves");
  if (external) {
    AddressSet inside;
    for (const auto& member : group->second) inside.add(member, groups, file, depth + 1);
    not_in_.push_back(std::move(inside));
  } else {
    for (const auto& member : group->second) add(member, groups, file, depth + 1);
  }
}

bool AddressSet::Table::matches(const Address& address) const {
  if (exact.contains(address.bare()) || exact.contains(address.full())) return true;
  if (!address.domain().empty() && exact.contains(address.domain())) return true;
  return std::ranges::any_of(globs, [&](const std::string& glob) {
    if (glob.find('/') != std::string::npos && address.casemap() == Casemap::unicode)
      return glob_matches(glob, address.full());
    if (glob_matches(glob, address.bare())) return true;
    return glob.find('@') == std::string::npos && !address.domain().empty() && glob_matches(glob, address.domain());
  });
}

bool AddressSet::matches(const Address& address) const {
  if (tables_[static_cast<std::size_t>(address.casemap())].matches(address)) return true;
  return !address.empty() &&
         std::ranges::any_of(not_in_, [&](const AddressSet& inside) { return !inside.matches(address); });
}

}  // namespace chancery::policy
