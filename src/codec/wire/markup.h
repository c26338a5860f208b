#pragma once
// The text in a message that an IM client wrote as HTML (AIM, ICQ) or with tags of its own (Yahoo).
#include <span>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace chancery {

// A tag of these names is markup; every other `<` is text. Lower case. A name that ends in `=` or `#` matches tags that
// begin with it ("snd=", "#ff0000").
using TagNames = std::span<const std::string_view>;

// Whether `text` holds a tag of HTML as messengers write it, or a character reference.
bool has_html(Bytes text);

// Without tags and comments; `<br>` and the end of a paragraph are line breaks; character references are resolved. The
// contents of `<title>`, `<style>` and `<script>` are not text. Input and output are UTF-8.
std::string html_to_text(Bytes html);

// Only tags of `names` removed; nothing else is changed.
std::string without_tags(Bytes text, TagNames names);

}  // namespace chancery
