#pragma once
// Records and folders for tests of the index.
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <unistd.h>

#include "archive/month_index.h"
#include "event/record.h"

namespace chancery::archive::testing {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "chancery-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline constexpr const char* kLog = "site/node/00000001-9f3ac2d1";

inline Instant at(std::string_view time) { return parse_rfc3339(time).value(); }

inline LeafOctets leaf_of(std::uint64_t index) {
  LeafOctets leaf{};
  for (std::size_t i = 0; i < 8; ++i) leaf[i] = static_cast<char>(index >> (8 * i));
  return leaf;
}

inline Record message(std::string_view time, std::string from, std::string to, std::string text) {
  Record record;
  record.time = at(time);
  record.protocol = "xmpp";
  record.network = "im.test";
  record.account = from;
  record.conversation.octets[0] = 7;
  record.event.from = std::move(from);
  record.event.to = {std::move(to)};
  record.event.texts = {{TextPart::Role::body, "", std::move(text), {{0, 1, 2, 3}}}};
  record.wire = "<message/>";
  return record;
}

}  // namespace chancery::archive::testing
