#include "archive/seal/sealer.h"
#include "journal/reader.h"

namespace chancery::seal {

LeafSource journal_leaves(journal::Disk& disk, std::string folder) {
  return [&disk, folder = std::move(folder)](std::uint64_t first, std::uint64_t end,
                                             const std::function<void(Bytes)>& visit) -> std::error_code {
    auto reader = journal::Reader::open(disk, folder, nullptr);
    if (!reader) return reader.error();
    reader->set_limit(end);
    reader->seek(first);
    for (std::uint64_t index = first; index < end; ++index) {
      const auto record = reader->next();
      if (!record) return record.error();
      if (!*record) return std::make_error_code(std::errc::no_message_available);
      visit({(*record)->leaf_octets.data(), kLeafSize});
    }
    return {};
  };
}

}  // namespace chancery::seal
