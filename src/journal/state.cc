#include "journal/state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

#include "core/crc32c.h"
#include "core/encoding.h"
#include "journal/format.h"

namespace chancery::journal {
namespace {

constexpr std::array<std::string_view, 5> kReasons = {"first", "state_missing", "rolled_back", "forked", "restored"};

std::string path_of(const std::string& folder, const std::string& site, const std::string& node, std::string_view end) {
  return fmt::format("{}/{}_{}.{}", folder, site, node, end);  // '_' cannot occur in a site or node
}

// "name=value\n" at the front of `text`; cut off.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name) || !text.substr(name.size()).starts_with('=')) return std::nullopt;
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto value = text.substr(name.size() + 1, end - name.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

bool take_number(std::string_view& text, std::string_view name, std::uint64_t& out) {
  const auto value = take_line(text, name);
  if (!value) return false;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), out);
  return error == std::errc{} && end == value->data() + value->size();
}

bool take_text(std::string_view& text, std::string_view name, std::string& out) {
  const auto value = take_line(text, name);
  if (value) out = *value;
  return value.has_value();
}

bool take_chain(std::string_view& text, Hash& out) {
  const auto value = take_line(text, "chain");
  const auto octets = value ? from_hex(*value) : std::nullopt;
  if (!octets || octets->size() != out.size()) return false;
  std::memcpy(out.data(), octets->data(), out.size());
  return true;
}

// A slot: CRC of the rest, the rest, zero-padded.
Buffer slot_of(Bytes content, std::size_t size) {
  Buffer slot(4, '\0');
  slot += content;
  slot.resize(size, '\0');
  put_be(slot.data(), mask_crc(crc32c(Bytes(slot).substr(4))), 4);
  return slot;
}

std::optional<Bytes> content_of(Bytes slot) {
  if (get_be(slot.data(), 4) != mask_crc(crc32c(slot.substr(4)))) return std::nullopt;
  return slot.substr(4);
}

}  // namespace

Buffer encode(const State& state) {
  return fmt::format("origin={}\nsize={}\nchain={}\nclean={}\nbackup={}\nprevious={}\nprevious_size={}\nreason={}\n",
                     state.origin, state.durable.size, to_hex(bytes_of(state.durable.chain)), state.clean ? 1 : 0,
                     state.backup, state.previous_origin, state.previous_size,
                     kReasons[static_cast<std::size_t>(state.reason)]);
}

std::optional<State> decode_state(std::string_view text) {
  State state;
  std::uint64_t clean = 0;
  if (!take_text(text, "origin", state.origin) || !take_number(text, "size", state.durable.size) ||
      !take_chain(text, state.durable.chain) || !take_number(text, "clean", clean) ||
      !take_text(text, "backup", state.backup) || !take_text(text, "previous", state.previous_origin) ||
      !take_number(text, "previous_size", state.previous_size))
    return std::nullopt;
  const auto reason = take_line(text, "reason");
  const auto known = std::ranges::find(kReasons, reason.value_or(""));
  if (known == kReasons.end()) return std::nullopt;
  state.reason = static_cast<EpochReason>(known - kReasons.begin());
  state.clean = clean == 1;
  return state;
}

StateFile::StateFile(Disk& disk, const std::string& folder, const std::string& site, const std::string& node)
    : disk_(&disk), folder_(folder), path_(path_of(folder, site, node, "position")) {}

std::expected<std::optional<State>, std::error_code> StateFile::load() {
  const auto octets = read_file(*disk_, path_, 2 * kSlotSize);
  if (!octets && octets.error() == std::errc::no_such_file_or_directory) return std::nullopt;
  if (!octets) return std::unexpected(octets.error());
  std::optional<State> newest;
  for (std::size_t at = 0; at + kSlotSize <= octets->size(); at += kSlotSize) {
    const auto content = content_of(Bytes(*octets).substr(at, kSlotSize));
    if (!content) continue;
    const auto number = static_cast<std::uint32_t>(get_be(content->data(), 8));
    const auto state = decode_state(content->substr(8));
    if (!state || number <= number_) continue;
    newest = state;
    number_ = number;
  }
  return newest;
}

std::error_code StateFile::save(const State& state) {
  ++number_;
  Buffer content(8, '\0');
  put_be(content.data(), number_, 8);
  content += encode(state);
  const Buffer slot = slot_of(content, kSlotSize);
  if (!file_) {
    const auto there = disk_->exists(path_);
    if (!there) return there.error();
    if (!*there)
      if (const auto error = write_file_durably(*disk_, path_, Buffer(2 * kSlotSize, '\0'))) return error;
    if (const auto error = disk_->sync_directory(folder_)) return error;
    auto file = disk_->open(path_, Disk::Mode::update);
    if (!file) return file.error();
    file_ = *std::move(file);
  }
  if (const auto error = file_->write_at(number_ % 2 * kSlotSize, Bytes(slot))) return error;
  return file_->sync();
}

OutageReserve::OutageReserve(Disk& disk, const std::string& folder, const std::string& site, const std::string& node)
    : disk_(&disk), path_(path_of(folder, site, node, "outages")) {}

std::error_code OutageReserve::prepare() {
  const auto there = disk_->exists(path_);
  if (!there) return there.error();
  return *there ? std::error_code{} : clear();
}

std::error_code OutageReserve::clear() { return write_file_durably(*disk_, path_, Buffer(kSlots * kSlotSize, '\0')); }

std::expected<std::vector<Outage>, std::error_code> OutageReserve::load() {
  const auto octets = read_file(*disk_, path_, kSlots * kSlotSize);
  if (!octets && octets.error() == std::errc::no_such_file_or_directory) return std::vector<Outage>{};
  if (!octets) return std::unexpected(octets.error());
  std::vector<Outage> outages;
  for (std::size_t at = 0; at + kSlotSize <= octets->size(); at += kSlotSize) {
    const auto content = content_of(Bytes(*octets).substr(at, kSlotSize));
    if (!content) continue;
    const char* p = content->data();
    outages.push_back({from_unix_ns(static_cast<std::int64_t>(get_be(p, 8))), get_be(p + 8, 8),
                       std::string(content->substr(18, get_be(p + 16, 2)))});
  }
  return outages;
}

std::error_code OutageReserve::note(const Outage& outage) {
  const auto taken = load();
  if (!taken) return taken.error();
  constexpr std::size_t kTextSizeMax = kSlotSize - 4 - 18;
  const std::string text = outage.what.substr(0, kTextSizeMax);
  Buffer content(18, '\0');
  put_be(content.data(), static_cast<std::uint64_t>(unix_ns(outage.time)), 8);
  put_be(content.data() + 8, outage.durable_size, 8);
  put_be(content.data() + 16, text.size(), 2);
  content += text;
  auto file = disk_->open(path_, Disk::Mode::update);
  if (!file) return file.error();
  const std::size_t slot = std::min(taken->size(), kSlots - 1);
  if (const auto error = (*file)->write_at(slot * kSlotSize, Bytes(slot_of(content, kSlotSize)))) return error;
  return (*file)->sync();
}

}  // namespace chancery::journal
