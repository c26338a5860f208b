#include "app/terminal.h"

#include <unistd.h>

#include "core/utf8.h"

namespace chancery::app {

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

Progress::~Progress() {
  if (dirty_) std::fputs("\r\x1b[K", stderr);
}

void Progress::show(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || now < next_) return;
  next_ = now + std::chrono::milliseconds{100};
  dirty_ = true;
  std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
}

std::string harmless(std::string_view text) {
  std::string out = to_utf8_lossy(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto octet = static_cast<unsigned char>(out[i]);
    if (octet < ' ' || octet == 0x7f) out[i] = ' ';
    // U+0080-U+009F: C1 controls, which some terminals obey.
    if (octet == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0) out[i] = out[i + 1] = ' ';
  }
  return out;
}

}  // namespace chancery::app
