#pragma once
// How TOC's two sides write their commands.
#include <string>
#include <vector>

#include "core/bytes.h"

namespace chancery::toc {

struct Word {
  Bytes source;      // as it stands in the wire, without its quotes
  std::string text;  // without its escapes
};

// The client: words between spaces; one in quotes may hold spaces; a backslash keeps the next character.
std::vector<Word> split_words(Bytes command);

// The server: fields between colons; the last of `count` is all the rest.
std::vector<Bytes> split_fields(Bytes command, std::size_t count);

}  // namespace chancery::toc
