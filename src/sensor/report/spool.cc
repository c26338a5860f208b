#include "sensor/report/spool.h"

#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <system_error>

namespace chancery::sensor {

void Spool::add(std::string_view row) {
  if (rows_++ > 0) text_ += ',';
  text_ += row;
  if (text_.size() >= kMemoryMax) spill();
}

void Spool::spill() {
  if (!fault_.empty()) {
    text_.clear();
    return;
  }
  if (!file_) file_.reset(std::tmpfile());
  if (!file_ || std::fwrite(text_.data(), 1, text_.size(), file_.get()) != text_.size())
    fault_ = fmt::format("Rows of the report cannot be kept in the folder for temporary files: {}.",
                         std::generic_category().message(errno));
  text_.clear();
}

std::expected<void, std::string> Spool::read(const std::function<void(std::string_view)>& piece) {
  if (!fault_.empty()) return std::unexpected(fault_);
  if (file_) {
    std::rewind(file_.get());
    std::array<char, 64 * 1024> buffer;
    std::size_t got = 0;
    while ((got = std::fread(buffer.data(), 1, buffer.size(), file_.get())) > 0) piece({buffer.data(), got});
    if (std::ferror(file_.get()) != 0) return std::unexpected(std::string{"Rows of the report cannot be read again."});
    std::fseek(file_.get(), 0, SEEK_END);
  }
  piece(text_);
  return {};
}

}  // namespace chancery::sensor
