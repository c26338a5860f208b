#include "journal/reader.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "journal/keystore.h"
#include "journal/recovery.h"
#include "journal/scan.h"
#include "journal/sheet.h"

namespace chancery::journal {
namespace {

constexpr std::uint64_t kPlaceEvery = 256;  // records between two remembered groups

std::unexpected<std::error_code> corrupt() { return std::unexpected(make_error_code(JournalError::corrupt)); }

// What the keys at hand give of one segment: a tree for each section that opens.
class SegmentKeys {
 public:
  // Fails only if the sheet itself is damaged or cannot be read; a key that is not here seals.
  static std::expected<SegmentKeys, std::error_code> load(Crypto& crypto, Disk& disk, const std::string& folder,
                                                          const SegmentHeader& header, KeyStore* store) {
    SegmentKeys keys;
    if (store == nullptr) return keys;
    const auto octets = read_file(disk, folder + "/" + sheet_file(header.number), kSheetSizeMax);
    if (!octets) return std::unexpected(octets.error());
    auto sheet = decode_sheet(*octets);
    if (!sheet) return std::unexpected(sheet.error());
    if (sheet->segment != header.number || sheet->first_index != header.first_index) return corrupt();
    for (const SealedSection& section : sheet->sections) {
      const auto key = store->day_key_of(section.retention_class, section.day, section.key);
      if (!key) continue;
      auto nodes = open_section(crypto, *sheet, header.origin, section, *key);
      if (!nodes) return std::unexpected(nodes.error());
      keys.trees_.emplace(section.retention_class, std::make_unique<KeyTree>(*std::move(nodes)));
    }
    keys.sheet_ = *std::move(sheet);
    return keys;
  }

  // Null: sealed.
  KeyTree* tree_for(std::uint16_t retention_class) {
    const SealedSection* section = section_of(sheet_, retention_class);
    if (section == nullptr) return nullptr;
    const auto tree = trees_.find(section->retention_class);
    return tree == trees_.end() ? nullptr : tree->second.get();
  }

 private:
  Sheet sheet_;
  std::map<std::uint16_t, std::unique_ptr<KeyTree>> trees_;
};

// One segment, with the group that was read last.
struct OpenSegment {
  OpenSegment(Crypto& crypto, std::unique_ptr<File> opened, SegmentHeader h, SegmentKeys k)
      : file(std::move(opened)), header(std::move(h)), scanner(crypto, *file, header), keys(std::move(k)) {
    places.push_back({header.first_index, kSegmentHeaderSize});
  }

  struct Place {
    std::uint64_t index, offset;
  };
  std::unique_ptr<File> file;
  SegmentHeader header;
  SegmentScanner scanner;
  SegmentKeys keys;
  std::vector<Place> places;  // some groups, ascending
  std::optional<Group> group;

  bool holds(std::uint64_t index) const {
    return group && index >= group->header.first_index && index < group->end_index();
  }

  // Reads the group that holds `index`. False: there is none (`scanner.problem()`).
  std::expected<bool, std::error_code> load(std::uint64_t index) {
    if (holds(index)) return true;
    group.reset();
    if (index < scanner.index() || index >= scanner.index() + kPlaceEvery) {
      const auto after = std::ranges::upper_bound(places, index, {}, &Place::index);
      const Place& place = *std::prev(after);
      if (index < scanner.index() || place.index > scanner.index()) scanner.move_to(place.offset, place.index);
    }
    while (true) {
      const std::uint64_t offset = scanner.offset();
      const auto header_here = scanner.peek();
      if (!header_here) return std::unexpected(header_here.error());
      if (!*header_here) return false;
      if ((*header_here)->first_index >= places.back().index + kPlaceEvery)
        places.push_back({(*header_here)->first_index, offset});
      if (index < (*header_here)->first_index + (*header_here)->frames) break;
      const auto skipped = scanner.skip();
      if (!skipped) return std::unexpected(skipped.error());
      if (!*skipped) return false;
    }
    auto read = scanner.next();
    if (!read) return std::unexpected(read.error());
    group = *std::move(read);
    return group.has_value();
  }
};

}  // namespace

class Reader::Impl {
 public:
  Impl(Disk& disk, std::string folder, KeyStore* keys, LogShape shape)
      : disk_(disk), folder_(std::move(folder)), keys_(keys), shape_(std::move(shape)) {}

  enum class Limit : std::uint8_t { stated, fixed, none };
  using Cursor = std::unique_ptr<OpenSegment>;

  const std::string& origin() const { return shape_.headers.front().origin; }
  const std::string& where() const { return where_; }
  void set_limit(Limit kind, std::uint64_t index) {
    limit_kind_ = kind;
    limit_ = index;
  }
  void seek(std::uint64_t index) { next_ = index; }

  std::expected<std::optional<ReadRecord>, std::error_code> next() {
    auto record = read(forward_, next_);
    if (record && *record) ++next_;
    return record;
  }

  std::expected<ReadRecord, std::error_code> at(std::uint64_t index) {
    auto record = read(random_, index);
    if (!record) return std::unexpected(record.error());
    if (!*record) return std::unexpected(std::make_error_code(std::errc::result_out_of_range));
    return **std::move(record);
  }

 private:
  std::expected<std::optional<ReadRecord>, std::error_code> read(Cursor& cursor, std::uint64_t index) {
    const auto allowed = is_allowed(index);
    if (!allowed) return std::unexpected(allowed.error());
    if (!*allowed) return std::nullopt;
    const auto found = find(cursor, index);
    if (!found) return std::unexpected(found.error());
    if (!*found) return std::nullopt;
    auto record = decode(*cursor, cursor->group->frames[index - cursor->group->header.first_index]);
    if (!record) return std::unexpected(record.error());
    return *std::move(record);
  }

  std::expected<bool, std::error_code> is_allowed(std::uint64_t index) {
    if (limit_kind_ == Limit::fixed) return index < limit_;
    if (limit_kind_ == Limit::none) return true;
    if (index >= stated_)
      if (const auto error = look_ahead(index)) return std::unexpected(error);
    return index < stated_;
  }

  // Follows the group headers to the newest until one says that `index` was durable.
  std::error_code look_ahead(std::uint64_t index) {
    while (index >= stated_) {
      if (!ahead_) {
        if (const auto error = open_segment(ahead_, static_cast<std::uint32_t>(shape_.headers.size() - 1), nullptr))
          return error;
        stated_ = std::max(stated_, ahead_->header.first_index);  // a segment begins when all before it is durable
        continue;
      }
      const auto header = ahead_->scanner.skip();
      if (!header) return header.error();
      if (*header) {
        stated_ = std::max(stated_, (*header)->durable);
        continue;
      }
      const auto grown = find_new_segment();
      if (!grown) return grown.error();
      if (!*grown) return {};
      ahead_.reset();
    }
    return {};
  }

  std::expected<bool, std::error_code> find_new_segment() {
    const auto number = static_cast<std::uint32_t>(shape_.headers.size());
    const auto there = disk_.exists(folder_ + "/" + segment_file(number));
    if (!there) return std::unexpected(there.error());
    if (!*there) return false;
    auto shape = read_shape(disk_, folder_, origin());
    if (!shape) return damaged(shape.error().code, shape.error().detail);
    shape_ = *std::move(shape);
    return shape_.headers.size() > number;
  }

  std::error_code open_segment(Cursor& cursor, std::uint32_t number, KeyStore* keys) {
    if (cursor && cursor->header.number == number) return {};
    const SegmentHeader& header = shape_.headers[number];
    auto file = disk_.open(folder_ + "/" + segment_file(number), Disk::Mode::read);
    if (!file) return file.error();
    auto segment_keys = SegmentKeys::load(crypto_, disk_, folder_, header, keys);
    if (!segment_keys) {
      where_ = fmt::format("key sheet {}: {}", segment_name(number), segment_keys.error().message());
      return segment_keys.error();
    }
    cursor = std::make_unique<OpenSegment>(crypto_, *std::move(file), header, *std::move(segment_keys));
    return {};
  }

  // Brings the cursor to the group that holds `index`. False: the log ends before it.
  std::expected<bool, std::error_code> find(Cursor& cursor, std::uint64_t index) {
    while (true) {
      const auto after = std::ranges::upper_bound(shape_.headers, index, {}, &SegmentHeader::first_index);
      const auto number = std::prev(after)->number;
      if (const auto error = open_segment(cursor, number, keys_)) return std::unexpected(error);
      const auto found = cursor->load(index);
      if (!found || *found) return found;
      if (after != shape_.headers.end()) return damaged(*cursor);
      const auto grown = find_new_segment();
      if (!grown) return grown;
      if (!*grown) return end_of_log(*cursor);
    }
  }

  // No whole group here, and no later segment.
  std::expected<bool, std::error_code> end_of_log(OpenSegment& segment) {
    if (limit_kind_ != Limit::none) return damaged(segment);  // it was said to be durable
    if (segment.scanner.problem().empty()) return false;
    const auto stated = durable_after(*segment.file, segment.scanner.offset() + 1);
    if (!stated) return std::unexpected(stated.error());
    if (*stated > segment.scanner.index()) return damaged(segment);
    return false;
  }

  std::unexpected<std::error_code> damaged(const OpenSegment& segment) {
    const SegmentScanner& scanner = segment.scanner;
    return damaged(
        JournalError::corrupt,
        fmt::format("segment {}, offset {}, record {}: {}", segment_name(segment.header.number), scanner.offset(),
                    scanner.index(), scanner.problem().empty() ? "the segment ends here" : scanner.problem()));
  }

  std::unexpected<std::error_code> damaged(std::error_code code, std::string where) {
    where_ = std::move(where);
    return std::unexpected(code);
  }

  std::expected<ReadRecord, std::error_code> decode(OpenSegment& segment, const Frame& frame) {
    ReadRecord record;
    record.index = frame.index;
    std::ranges::copy(frame.leaf, record.leaf_octets.begin());
    record.leaf = *decode_leaf(frame.leaf);  // the scanner decoded it before
    if (is_bodiless(record.leaf.type)) {
      record.body = ReadRecord::Body::empty;
      return record;
    }
    KeyTree* tree = segment.keys.tree_for(record.leaf.retention_class);
    if (tree == nullptr) return record;
    const std::uint64_t tree_leaf = frame.index - segment.header.first_index;
    RecordKeys keys;
    if (tree_leaf >= kTreeLeaves || !tree->keys_of(crypto_, static_cast<std::uint32_t>(tree_leaf), keys)) {
      record.body = ReadRecord::Body::erased;
      return record;
    }
    Nonce nonce;
    std::copy_n(record.leaf.commitment.begin(), nonce.size(), nonce.begin());
    const Bytes associated = frame.leaf.substr(0, kLeafSize - sizeof(Hash));
    if (!crypto_.open(keys.key, nonce, associated, frame.body, record.payload) ||
        crypto_.hmac(keys.salt, {record.payload}) != record.leaf.commitment)
      return damaged(JournalError::corrupt, fmt::format("segment {}, record {}: does not decrypt to what it commits to",
                                                        segment_name(segment.header.number), frame.index));
    std::copy_n(keys.salt.data(), record.salt.size(), record.salt.begin());
    record.body = ReadRecord::Body::clear;
    return record;
  }

  Disk& disk_;
  const std::string folder_;
  KeyStore* keys_;
  Crypto crypto_;
  LogShape shape_;
  Limit limit_kind_ = Limit::stated;
  std::uint64_t limit_ = 0;
  std::uint64_t stated_ = 0;
  std::uint64_t next_ = 0;
  Cursor forward_;
  Cursor random_;
  Cursor ahead_;
  std::string where_;
};

std::expected<Reader, std::error_code> Reader::open(Disk& disk, const std::string& log_folder, KeyStore* keys) {
  auto file = disk.open(log_folder + "/" + segment_file(0), Disk::Mode::read);
  if (!file) return std::unexpected(file.error());
  std::array<char, kSegmentHeaderSize> octets;
  const auto got = (*file)->read_at(0, octets);
  if (!got) return std::unexpected(got.error());
  const auto header = decode_segment_header({octets.data(), *got});
  if (!header) return std::unexpected(header.error());
  auto shape = read_shape(disk, log_folder, header->origin);
  if (!shape) return std::unexpected(shape.error().code);
  return Reader(std::make_unique<Impl>(disk, log_folder, keys, *std::move(shape)));
}

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

const std::string& Reader::origin() const { return impl_->origin(); }
void Reader::set_limit(std::uint64_t index) { impl_->set_limit(Impl::Limit::fixed, index); }
void Reader::set_limit_none() { impl_->set_limit(Impl::Limit::none, 0); }
void Reader::seek(std::uint64_t index) { impl_->seek(index); }
std::expected<std::optional<ReadRecord>, std::error_code> Reader::next() { return impl_->next(); }
std::expected<ReadRecord, std::error_code> Reader::at(std::uint64_t index) { return impl_->at(index); }
const std::string& Reader::where() const { return impl_->where(); }

}  // namespace chancery::journal
