#include "app/usage.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>

#include <CLI/CLI.hpp>

namespace chancery::app {
namespace {

constexpr std::size_t kLettersAwayMax = 2;
constexpr std::size_t kBegunAlikeMin = 3;  // letters

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options(nullptr))
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands(nullptr))
    if (command->get_name() == name) return command;
  return nullptr;
}

struct Place {
  const CLI::App* app = nullptr;
  std::string path;                    // "chancery archive"
  std::optional<std::string> unknown;  // the word that names no command of `app`
};

// Follows the words that name commands. Options of a group take no values, so its first other word is a command's name.
Place place_of(const CLI::App& root, const Words& words) {
  Place place{&root, root.get_name(), std::nullopt};
  for (const std::string& word : words) {
    if (names_of_commands(*place.app).empty()) break;
    if (word.starts_with("-")) continue;
    const CLI::App* next = find_command(*place.app, word);
    if (next == nullptr) {
      place.unknown = word;
      break;
    }
    place.app = next;
    place.path += " " + word;
  }
  return place;
}

bool asks_for_help(const Words& words) {
  return std::ranges::any_of(
      words, [](const std::string& word) { return word == "--help" || word == "-h" || word == "--version"; });
}

// "; did you mean `a` or `b`?", or a full stop.
std::string guess(const std::string& word, const std::vector<std::string>& names) {
  const auto near = nearest(word, names);
  return near.empty() ? "." : fmt::format("; did you mean `{}`?", fmt::join(near, "` or `"));
}

}  // namespace

std::vector<std::string> nearest(const std::string& word, const std::vector<std::string>& names) {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string& name : names) {
    const std::size_t away = distance(word, name);
    const bool begun_alike = word.size() >= kBegunAlikeMin && name.starts_with(word);
    if (begun_alike || (away <= kLettersAwayMax && away < name.size())) found.emplace_back(away, name);
  }
  std::ranges::sort(found);
  std::vector<std::string> names_found;
  for (auto& [away, name] : found)
    if (away == found.front().first) names_found.push_back(std::move(name));
  return names_found;
}

std::optional<std::string> misnamed_command(const CLI::App& root, const Words& words) {
  const Place place = place_of(root, words);
  const auto names = names_of_commands(*place.app);
  if (names.empty()) return std::nullopt;
  const std::string more = fmt::format("`{} --help` explains them", place.path);
  if (place.unknown)
    return fmt::format("there is no command `{} {}`{} The commands are {}; {}", place.path, *place.unknown,
                       guess(*place.unknown, names), fmt::join(names, ", "), more);
  if (asks_for_help(words)) return std::nullopt;
  return fmt::format("name a command after `{}`: {}; {}", place.path, fmt::join(names, ", "), more);
}

std::string explain(const CLI::App& root, const Words& words, const CLI::ParseError& error) {
  const Place place = place_of(root, words);
  std::string what = error.what();
  while (what.ends_with('.') || what.ends_with('\n')) what.pop_back();
  std::string hint = ".";
  const auto options = names_of_options(*place.app);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    for (const std::string& word : words) {
      const std::string name = word.substr(0, word.find('='));
      if (name.starts_with("--") && std::ranges::find(options, name) == options.end()) hint = guess(name, options);
    }
  return fmt::format("{}{} `{} --help` shows what it takes.", what, hint, place.path);
}

bool wants_json(const Words& words) {
  const auto end = std::ranges::find(words, "--");
  return std::find(words.begin(), end, "--json") != end;
}

}  // namespace chancery::app
