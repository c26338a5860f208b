#pragma once
// What a writer remembers of its log outside the archive; docs/formats/journal.md, "State folder".
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "journal/file.h"
#include "journal/open.h"
#include "journal/reader.h"

namespace chancery::journal {

struct State {
  std::string origin;
  Position durable;
  bool clean = false;
  std::string backup;  // hex of SHA-256(backup.json) that was seen; empty if there was none
  std::string previous_origin;
  std::uint64_t previous_size = 0;
  EpochReason reason = EpochReason::first;
  bool operator==(const State&) const = default;
};

// The file of two slots: whatever happens while one is written, the other holds.
class StateFile {
 public:
  static constexpr std::size_t kSlotSize = 1024;

  StateFile(Disk& disk, const std::string& folder, const std::string& site, const std::string& node);
  // nullopt: there is no state, or no slot is valid.
  std::expected<std::optional<State>, std::error_code> load();
  std::error_code save(const State& state);

 private:
  Disk* disk_;
  std::string folder_;
  std::string path_;
  std::unique_ptr<File> file_;
  std::uint32_t number_ = 0;
};

Buffer encode(const State& state);
std::optional<State> decode_state(std::string_view text);

// The reserve in which outages are noted when the archive cannot be written.
class OutageReserve {
 public:
  static constexpr std::size_t kSlotSize = 512;
  static constexpr std::size_t kSlots = 64;

  OutageReserve(Disk& disk, const std::string& folder, const std::string& site, const std::string& node);
  std::error_code prepare();  // makes the file in full size when it is missing
  std::expected<std::vector<Outage>, std::error_code> load();
  std::error_code note(const Outage& outage);  // the last slot is overwritten when all are taken
  std::error_code clear();

 private:
  Disk* disk_;
  std::string path_;
};

}  // namespace chancery::journal
