#include "journal/sheet.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/crc32c.h"
#include "journal/format.h"

namespace chancery::journal {
namespace {

constexpr Bytes kMagic = "CHSHEET\n";
constexpr std::size_t kHeaderSize = 28, kSectionIdSize = 22, kNodeSize = 37, kCrcSize = 4;
constexpr std::size_t kSealedSizeMin = sizeof(Nonce) + 4 + kTagSize;

void append_be(Buffer& out, std::uint64_t value, std::size_t size) {
  out.resize(out.size() + size);
  put_be(out.data() + out.size() - size, value, size);
}

Bytes bytes_of_id(const KeyId& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }

Buffer header_of(const Sheet& sheet) {
  Buffer out(kMagic);
  append_be(out, kVersion, 2);
  append_be(out, kSuite, 2);
  append_be(out, sheet.segment, 4);
  append_be(out, sheet.first_index, 8);
  return out;
}

void append_section_id(Buffer& out, const SealedSection& section) {
  append_be(out, section.retention_class, 2);
  append_be(out, section.day, 4);
  out += bytes_of_id(section.key);
}

// The number of sections is not authenticated by each of them: another may be added later.
Buffer associated_data(const Sheet& sheet, const SealedSection& section, std::string_view origin) {
  Buffer out = header_of(sheet);
  append_section_id(out, section);
  out += origin;
  return out;
}

std::optional<KeyNodes> decode_nodes(Bytes octets) {
  if (octets.size() < 4) return std::nullopt;
  const std::uint64_t count = get_be(octets.data(), 4);
  octets.remove_prefix(4);
  if (octets.size() != count * kNodeSize) return std::nullopt;
  KeyNodes nodes(count);
  for (KeyNode& node : nodes) {
    node.depth = static_cast<std::uint8_t>(octets[0]);
    node.position = static_cast<std::uint32_t>(get_be(octets.data() + 1, 4));
    std::memcpy(node.secret.data(), octets.data() + 5, Secret::kSize);
    octets.remove_prefix(kNodeSize);
  }
  if (!is_valid(nodes)) return std::nullopt;
  return nodes;
}

// Cuts one section off the front. False: there is no whole one.
bool take_section(Bytes& octets, SealedSection& section) {
  constexpr std::size_t kFixed = kSectionIdSize + sizeof(Nonce) + 4;
  if (octets.size() < kFixed) return false;
  section.retention_class = static_cast<std::uint16_t>(get_be(octets.data(), 2));
  section.day = static_cast<std::uint32_t>(get_be(octets.data() + 2, 4));
  std::memcpy(section.key.data(), octets.data() + 6, section.key.size());
  const Bytes nonce = octets.substr(kSectionIdSize, sizeof(Nonce));
  const std::uint64_t size = get_be(octets.data() + kFixed - 4, 4);
  octets.remove_prefix(kFixed);
  if (size > octets.size()) return false;
  section.sealed.reserve(nonce.size() + size);
  section.sealed.append(nonce).append(octets.substr(0, size));
  octets.remove_prefix(size);
  return section.sealed.size() >= kSealedSizeMin;
}

}  // namespace

SealedSection seal_section(Crypto& crypto, const Sheet& sheet, std::string_view origin, std::uint16_t retention_class,
                           std::uint32_t day, const KeyStore::Key& key, const KeyNodes& nodes) {
  SealedSection section{retention_class, day, key.id, {}};
  Buffer plain;
  plain.reserve(4 + nodes.size() * kNodeSize);  // so that no copy of a secret is left behind by growing
  append_be(plain, nodes.size(), 4);
  for (const KeyNode& node : nodes) {
    append_be(plain, node.depth, 1);
    append_be(plain, node.position, 4);
    plain += node.secret.bytes();
  }
  section.sealed = seal_with_random_nonce(crypto, key.secret, associated_data(sheet, section, origin), plain);
  wipe(plain);
  return section;
}

std::expected<KeyNodes, std::error_code> open_section(Crypto& crypto, const Sheet& sheet, std::string_view origin,
                                                      const SealedSection& section, const Secret& key) {
  Buffer plain;
  if (!open_with_nonce(crypto, key, associated_data(sheet, section, origin), section.sealed, plain))
    return std::unexpected(make_error_code(KeyStoreError::wrong_key));
  auto nodes = decode_nodes(plain);
  wipe(plain);
  if (!nodes) return std::unexpected(make_error_code(JournalError::corrupt));
  return *std::move(nodes);
}

Buffer encode(const Sheet& sheet) {
  Buffer out = header_of(sheet);
  append_be(out, sheet.sections.size(), 4);
  for (const SealedSection& section : sheet.sections) {
    append_section_id(out, section);
    out.append(section.sealed, 0, sizeof(Nonce));
    append_be(out, section.sealed.size() - sizeof(Nonce), 4);
    out.append(section.sealed, sizeof(Nonce));
  }
  append_be(out, mask_crc(crc32c(out)), 4);
  return out;
}

std::expected<Sheet, std::error_code> decode_sheet(Bytes octets) {
  const auto corrupt = std::unexpected(make_error_code(JournalError::corrupt));
  const auto foreign = std::unexpected(make_error_code(JournalError::foreign));
  if (octets.size() < kHeaderSize + kCrcSize || !octets.starts_with(kMagic)) return foreign;
  const std::uint64_t crc = get_be(octets.data() + octets.size() - kCrcSize, kCrcSize);
  octets.remove_suffix(kCrcSize);
  if (crc != mask_crc(crc32c(octets))) return corrupt;
  if (get_be(octets.data() + 8, 2) != kVersion || get_be(octets.data() + 10, 2) != kSuite) return foreign;
  Sheet sheet;
  sheet.segment = static_cast<std::uint32_t>(get_be(octets.data() + 12, 4));
  sheet.first_index = get_be(octets.data() + 16, 8);
  const std::uint64_t count = get_be(octets.data() + 24, 4);
  if (count == 0 || count > kSheetSectionsMax) return corrupt;
  octets.remove_prefix(kHeaderSize);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!take_section(octets, sheet.sections.emplace_back())) return corrupt;
    if (i > 0 && sheet.sections[i].retention_class <= sheet.sections[i - 1].retention_class) return corrupt;
  }
  if (!octets.empty()) return corrupt;
  return sheet;
}

const SealedSection* section_of(const Sheet& sheet, std::uint16_t retention_class) {
  const SealedSection* fallback = nullptr;
  for (const SealedSection& section : sheet.sections) {
    if (section.retention_class == retention_class) return &section;
    if (section.retention_class == 0) fallback = &section;
  }
  return fallback;
}

std::uint32_t day_number(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return static_cast<std::uint32_t>(static_cast<int>(date.year()) * 10000) + static_cast<unsigned>(date.month()) * 100 +
         static_cast<unsigned>(date.day());
}

std::chrono::sys_days day_from_number(std::uint32_t number) {
  return std::chrono::year(static_cast<int>(number / 10000)) / std::chrono::month(number / 100 % 100) /
         std::chrono::day(number % 100);
}

}  // namespace chancery::journal
