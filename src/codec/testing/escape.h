#pragma once
// How transcripts write octets in a line of text. docs/formats/transcript.md, "Octets".
#include <expected>
#include <string>

#include "core/bytes.h"

namespace chancery::testing {

// `\r \n \t \\ \"`, `\xNN` for other control octets and for whatever is not UTF-8, and `\x20` for a space at the
// end; all else, UTF-8 included, stands for itself.
std::string escape(Bytes octets);

// The same in double quotes; a quote inside becomes `\"`.
std::string quote(Bytes octets);

// A word as it is when nothing in it could mislead the eye, else quoted.
std::string word(Bytes octets);

// Undoes `escape`, and knows what makes binary frames readable: `\*N{…}`, `\#N{…}`, `\~N{…}`, `\h{…}`, `\U{…}`,
// `\L{…}`, `\;`. The error says what is wrong.
std::expected<Buffer, std::string> unescape(std::string_view text);

}  // namespace chancery::testing
