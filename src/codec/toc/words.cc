#include "codec/toc/words.h"

#include <algorithm>

namespace chancery::toc {
namespace {

constexpr std::size_t kWordsMax = 256;

}  // namespace

std::vector<Word> split_words(Bytes command) {
  std::vector<Word> words;
  for (std::size_t at = 0; words.size() < kWordsMax;) {
    at = command.find_first_not_of(' ', at);
    if (at == Bytes::npos) break;
    const bool quoted = command[at] == '"';
    const std::size_t begin = quoted ? at + 1 : at;
    Word word;
    for (at = begin; at < command.size() && command[at] != (quoted ? '"' : ' '); ++at) {
      if (command[at] == '\\' && at + 1 < command.size()) ++at;
      word.text += command[at];
    }
    word.source = command.substr(begin, at - begin);
    words.push_back(std::move(word));
    if (quoted && at < command.size()) ++at;
  }
  return words;
}

std::vector<Bytes> split_fields(Bytes command, std::size_t count) {
  std::vector<Bytes> fields;
  while (fields.size() + 1 < count) {
    const std::size_t colon = command.find(':');
    if (colon == Bytes::npos) break;
    fields.push_back(command.substr(0, colon));
    command.remove_prefix(colon + 1);
  }
  fields.push_back(command);
  return fields;
}

}  // namespace chancery::toc
