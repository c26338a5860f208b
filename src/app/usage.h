#pragma once
// What is wrong with a command line, said so that the next attempt works. CLI11's own words for an unknown command
// ("A subcommand is required") would not help anybody.
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace chancery::app {

// The arguments after the program's name.
using Words = std::vector<std::string>;

// A sentence when the words do not lead to a command: none was named, or one that does not exist.
std::optional<std::string> misnamed_command(const CLI::App& root, const Words& words);

// A sentence for what the parser found: the command it belongs to, what is wrong, where to read more.
std::string explain(const CLI::App& root, const Words& words, const CLI::ParseError& error);

// Whether the answer, and so the complaint, is to be JSON. Asked before anything could be parsed.
bool wants_json(const Words& words);

// Those of `names` that somebody who typed `word` may have meant, nearest first: at most two letters away, or begun
// alike.
std::vector<std::string> nearest(const std::string& word, const std::vector<std::string>& names);

}  // namespace chancery::app
