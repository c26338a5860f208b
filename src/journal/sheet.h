#pragma once
// The key sheet of a segment; docs/formats/journal.md, "Key sheet".
#include <cstdint>
#include <expected>
#include <string>
#include <system_error>
#include <vector>

#include "journal/key_tree.h"
#include "journal/keystore.h"

namespace chancery::journal {

inline constexpr std::uint64_t kSheetSizeMax = 32U << 20;
inline constexpr std::uint32_t kSheetSectionsMax = 16;

struct SealedSection {
  std::uint16_t retention_class = 0;
  std::uint32_t day = 0;  // yyyymmdd
  KeyId key{};
  Buffer sealed;  // nonce ‖ ciphertext ‖ tag
  bool operator==(const SealedSection&) const = default;
};

struct Sheet {
  std::uint32_t segment = 0;
  std::uint64_t first_index = 0;
  std::vector<SealedSection> sections;
  bool operator==(const Sheet&) const = default;
};

// Seals `nodes` as the section of this class under `key`; `sheet` gives segment and first index.
SealedSection seal_section(Crypto& crypto, const Sheet& sheet, std::string_view origin, std::uint16_t retention_class,
                           std::uint32_t day, const KeyStore::Key& key, const KeyNodes& nodes);
// KeyStoreError::wrong_key if the section was not sealed under `key` for this sheet and origin.
std::expected<KeyNodes, std::error_code> open_section(Crypto& crypto, const Sheet& sheet, std::string_view origin,
                                                      const SealedSection& section, const Secret& key);

Buffer encode(const Sheet& sheet);
// JournalError::foreign or ::corrupt. Exact: what `encode` could not have made is corrupt.
std::expected<Sheet, std::error_code> decode_sheet(Bytes octets);

// The section under which records of this class are encrypted; null if there is none.
const SealedSection* section_of(const Sheet& sheet, std::uint16_t retention_class);

std::uint32_t day_number(std::chrono::sys_days day);  // yyyymmdd
std::chrono::sys_days day_from_number(std::uint32_t number);

}  // namespace chancery::journal
