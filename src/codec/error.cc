#include <string>

#include "codec/codec.h"

namespace chancery {
namespace {

class CodecCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "codec"; }
  std::string message(int value) const override {
    switch (static_cast<CodecError>(value)) {
      case CodecError::malformed:
        return "not well-formed";
      case CodecError::restricted:
        return "uses a construct that the protocol forbids";
      case CodecError::not_utf8:
        return "not UTF-8";
      case CodecError::too_large:
        return "larger than the limit of one unit";
      case CodecError::too_deep:
        return "nested deeper than the limit";
      case CodecError::too_many:
        return "more attributes, targets, members or unacknowledged units than the limit";
      case CodecError::out_of_order:
        return "not allowed at this point of the stream";
      case CodecError::after_end:
        return "octets after the end of the stream";
    }
    return "unknown codec error";
  }
};

}  // namespace

std::error_code make_error_code(CodecError error) {
  static const CodecCategory category;
  return {static_cast<int>(error), category};
}

}  // namespace chancery
