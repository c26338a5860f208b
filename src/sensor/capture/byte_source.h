#pragma once
// Octets of a file, plain or gzipped, in order.
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

namespace chancery::sensor {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // At most `size` octets into `out`; 0 is the end. The error is what went wrong, without the file's name.
  virtual std::expected<std::size_t, std::string> read(char* out, std::size_t size) = 0;
  virtual std::uint64_t consumed() const = 0;  // octets of the file itself
};

struct OpenedSource {
  std::unique_ptr<ByteSource> source;
  std::uint64_t size = 0;  // of the file; 0: not known
};

// Looks at the first octets: gzip by its magic (RFC 1952 §2.3.1), all else is plain. The error is a sentence.
std::expected<OpenedSource, std::string> open_source(const std::string& path);

}  // namespace chancery::sensor
