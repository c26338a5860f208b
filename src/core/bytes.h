#pragma once
// Octets as the whole program passes them. A `Bytes` is a borrowed view of octets, which may or may not be text;
// a `Buffer` owns them. Both are the standard string types, so that codecs of text protocols need no casts.
#include <string>
#include <string_view>

namespace chancery {

using Bytes = std::string_view;
using Buffer = std::string;

}  // namespace chancery
