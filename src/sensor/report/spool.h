#pragma once
// Rows of a report that may be many: kept in memory while they are few, then in an unnamed file in the folder for
// temporary files, so that a long capture takes no more memory than a short one.
#include <cstdint>
#include <cstdio>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace chancery::sensor {

class Spool {
 public:
  static constexpr std::size_t kMemoryMax = 256 * 1024;

  void add(std::string_view row);  // rows are joined by commas
  std::uint64_t rows() const { return rows_; }

  // Gives all octets in order, in pieces. The error is a sentence: something could not be kept or read again.
  std::expected<void, std::string> read(const std::function<void(std::string_view)>& piece);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void spill();

  std::string text_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string fault_;
  std::uint64_t rows_ = 0;
};

}  // namespace chancery::sensor
