#pragma once
// Reads one log, also while it is being written. With no keys it still gives every index and leaf.
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include "core/bytes.h"
#include "journal/file.h"
#include "merkle/leaf.h"

namespace chancery::journal {

class KeyStore;

struct ReadRecord {
  enum class Body : std::uint8_t {
    clear,   // `payload` is the plaintext record, checked against the leaf's commitment
    empty,   // the frame has none (segment_opened, sheet_replaced)
    sealed,  // no key here opens the segment's key sheet
    erased,  // the sheet opens, but this record's key was taken out of it
  };
  std::uint64_t index = 0;
  std::array<char, kLeafSize> leaf_octets{};
  Leaf leaf;
  Body body = Body::sealed;
  Buffer payload;
  Hash salt{};  // with `clear`: opens the leaf's commitment, of this record alone; shown only to prove the record
};

// A point in the log as its group headers tell it.
struct Position {
  std::uint64_t size = 0;  // records
  Hash chain{};            // docs/formats/journal.md, "Chain"
  bool operator==(const Position&) const = default;
};

class Reader {
 public:
  // `log_folder`: ARCHIVE/logs/<site>/<node>/<epoch>. `keys` may be null and must outlive the reader.
  // Errors: JournalError::foreign, JournalError::corrupt, the system's.
  static std::expected<Reader, std::error_code> open(Disk& disk, const std::string& log_folder, KeyStore* keys);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  const std::string& origin() const;

  // Give nothing at or above this index. A reader in the writer's process sets Journal::durable_size(). Without a
  // limit a reader stops at what the newest group header says was durable (so it may lag by the last group).
  void set_limit(std::uint64_t index);
  // The log is complete and at rest (a backup, a closed epoch): read up to the end of the last whole group.
  void set_limit_none();

  // The next `next` gives this index.
  void seek(std::uint64_t index);
  // The next record, or nullopt at the limit; asking again later may give more. After an error the reader stays where
  // it was. JournalError::corrupt: `where()` says where.
  std::expected<std::optional<ReadRecord>, std::error_code> next();
  // One record by its index; does not move `next`. std::errc::result_out_of_range at or above the limit.
  std::expected<ReadRecord, std::error_code> at(std::uint64_t index);

  // "segment 00000003, offset 1234, record 555: frame CRC" for the last `corrupt`.
  const std::string& where() const;

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chancery::journal
