#include "journal/open.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "core/encoding.h"
#include "journal/recovery.h"
#include "journal/state.h"
#include "journal/writer.h"

namespace chancery::journal {
namespace {

constexpr std::uint64_t kArchiveFileSizeMax = 4096;
constexpr std::uint64_t kBackupManifestSizeMax = 1U << 30;
constexpr std::string_view kArchiveFormat = R"({"format":"chancery-archive","version":1,"id":")";

using Result = std::expected<void, OpenFailure>;

std::unexpected<OpenFailure> fail(std::error_code code, std::string detail) {
  return std::unexpected(failure(code, std::move(detail)));
}

Result checked(std::error_code error, const std::string& detail) {
  if (error) return fail(error, detail);
  return {};
}

bool is_name(std::string_view name) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 63 && is_alnum(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_alnum(c) || c == '.' || c == '-'; });
}

// "00000001-9f3ac2d1" → 1
std::optional<std::uint32_t> epoch_number(std::string_view name) {
  if (name.size() != 17 || name[8] != '-' || !from_hex(name.substr(9))) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + 8, number);
  if (error != std::errc{} || end != name.data() + 8) return std::nullopt;
  return number;
}

// Whether there is a folder `levels` below this one: logs/<site>/<node>/<epoch>.
bool holds_log(Disk& disk, const std::string& folder, int levels) {
  const auto names = disk.list(folder);
  if (!names) return false;
  if (levels == 1) return !names->empty();
  return std::ranges::any_of(*names,
                             [&](const auto& name) { return holds_log(disk, folder + "/" + name, levels - 1); });
}

std::string_view epoch_of(std::string_view origin) { return origin.substr(origin.rfind('/') + 1); }

std::string random_hex(std::size_t octets) {
  Buffer random(octets, '\0');
  fill_random({reinterpret_cast<std::uint8_t*>(random.data()), random.size()});
  return to_hex(random);
}

// One opening, step by step as docs/formats/journal.md lists them.
class Opening {
 public:
  explicit Opening(const Options& options)
      : options_(options),
        disk_(*options.disk),
        node_folder_(log_folder(options.archive, options.site + "/" + options.node)),
        state_file_(disk_, options.state, options.site, options.node) {}

  std::expected<Opened, OpenFailure> run();

 private:
  Result refuse_foreign_folder();
  Result prepare_folders();
  Result prepare_archive();
  Result take_lock();
  Result read_known();
  std::optional<EpochReason> reason_for_new_epoch() const;
  Result begin_epoch(EpochReason reason);
  std::expected<bool, OpenFailure> continue_log();
  Result make_first_segment();
  Result load_segment_keys();
  Result write_own_records();
  Entry own_entry(LeafType type);
  OwnRecord own_record(const Entry& entry, std::size_t place) const;
  NewEpoch new_epoch() const;
  std::string folder() const { return log_folder(options_.archive, state_.origin); }

  const Options& options_;
  Disk& disk_;
  Crypto crypto_;
  const std::string node_folder_;
  StateFile state_file_;
  std::unique_ptr<Lock> lock_;
  bool has_state_ = false;
  State state_;
  std::string newest_origin_;  // of the logs in the archive; empty: none
  std::uint32_t newest_number_ = 0;
  std::string backup_;
  Hash archive_hash_{};
  Recovery recovery_;
  std::optional<LogFile> log_;
  std::shared_ptr<Segment> segment_;
  ConversationId conversation_;
};

// Without archive.json a folder is made an archive only where nobody can have meant something else: it holds nothing,
// or what an opening leaves that was cut off before archive.json was there.
Result Opening::refuse_foreign_folder() {
  const std::string& archive = options_.archive;
  const auto there = disk_.exists(archive);
  const auto named = disk_.exists(archive + "/archive.json");
  if (!there || !named) return fail(there ? named.error() : there.error(), archive);
  if (!*there || *named) return {};
  const auto names = disk_.list(archive);
  if (!names) return fail(names.error(), archive);
  for (const std::string& name : *names)
    if (name != "logs" && name != "archive.json.new" && name != "lost+found")
      return fail(
          JournalError::foreign,
          fmt::format("{} holds \"{}\" and no archive.json: it is no archive, and a new one needs a folder that "
                      "is empty or does not exist",
                      archive, name));
  if (!holds_log(disk_, archive + "/logs", 3)) return {};
  if (disk_.exists(archive + "/archive.json").value_or(false)) return {};  // another node has just made both
  return fail(JournalError::foreign, archive +
                                         "/archive.json is missing, and logs are there that were opened under it: "
                                         "put it back from a backup");
}

Result Opening::prepare_folders() {
  if (!is_name(options_.site) || !is_name(options_.node))
    return fail(
        std::make_error_code(std::errc::invalid_argument),
        fmt::format("site \"{}\", node \"{}\": each must be [a-z0-9][a-z0-9.-]{{0,62}}", options_.site, options_.node));
  if (const auto error = make_directories(disk_, options_.state, "")) return fail(error, options_.state);
  const std::string below = "logs/" + options_.site + "/" + options_.node;
  return checked(make_directories(disk_, options_.archive, below), options_.archive);
}

Result Opening::prepare_archive() {
  const std::string path = options_.archive + "/archive.json";
  const auto there = disk_.exists(path);
  if (!there) return fail(there.error(), path);
  if (!*there) {
    const Buffer text = fmt::format("{}{}\"}}\n", kArchiveFormat, random_hex(16));
    if (const auto error = write_file_durably(disk_, path, text)) return fail(error, path);
  }
  if (const auto error = disk_.sync_directory(options_.archive)) return fail(error, options_.archive);
  const auto text = read_file(disk_, path, kArchiveFileSizeMax);
  if (!text) return fail(text.error(), path);
  if (!text->starts_with(kArchiveFormat)) return fail(JournalError::foreign, path);
  archive_hash_ = crypto_.sha256({*text});
  return {};
}

Result Opening::take_lock() {
  // The archive's lock only for the moment in which archive.json may be made.
  const auto archive_lock = disk_.lock(options_.archive);
  if (!archive_lock) return fail(JournalError::locked, options_.archive + " is being opened by another process");
  if (const auto done = prepare_archive(); !done) return done;
  auto lock = disk_.lock(node_folder_);
  if (!lock && lock.error() == std::errc::resource_unavailable_try_again)
    return fail(JournalError::locked, node_folder_);
  if (!lock) return fail(lock.error(), node_folder_);
  lock_ = *std::move(lock);
  return {};
}

// What the archive and the state folder say before any log is read.
Result Opening::read_known() {
  const auto state = state_file_.load();
  if (!state) return fail(state.error(), options_.state);
  has_state_ = state->has_value();
  if (has_state_) state_ = **state;
  recovery_.clean = state_.clean;
  const auto names = disk_.list(node_folder_);
  if (!names) return fail(names.error(), node_folder_);
  for (const std::string& name : *names) {
    const auto number = epoch_number(name);
    if (!number || *number < newest_number_) continue;
    newest_number_ = *number;
    newest_origin_ = options_.site + "/" + options_.node + "/" + name;
  }
  const std::string manifest = options_.archive + "/backup.json";
  const auto backup = read_file(disk_, manifest, kBackupManifestSizeMax);
  if (backup)
    backup_ = to_hex(bytes_of(crypto_.sha256({*backup})));
  else if (backup.error() != std::errc::no_such_file_or_directory)
    return fail(backup.error(), manifest);
  return {};
}

std::optional<EpochReason> Opening::reason_for_new_epoch() const {
  if (!has_state_) return newest_origin_.empty() ? EpochReason::first : EpochReason::state_missing;
  if (!backup_.empty() && backup_ != state_.backup) return EpochReason::restored;
  const bool is_newest = state_.origin == newest_origin_;
  // The state names a log before its folder is made; nothing was written in it yet.
  const bool is_unborn = state_.durable.size == 0 && newest_number_ < epoch_number(epoch_of(state_.origin)).value_or(0);
  if (is_newest || is_unborn) return std::nullopt;
  return newest_number_ > epoch_number(epoch_of(state_.origin)).value_or(0) ? EpochReason::forked
                                                                            : EpochReason::rolled_back;
}

Result Opening::begin_epoch(EpochReason reason) {
  const State old = state_;
  const std::uint32_t known = has_state_ ? epoch_number(epoch_of(old.origin)).value_or(0) : 0;
  state_ = State{};
  state_.origin =
      fmt::format("{}/{}/{:08}-{}", options_.site, options_.node, std::max(known, newest_number_) + 1, random_hex(4));
  state_.durable.chain = first_chain(crypto_, state_.origin);
  state_.backup = backup_;
  state_.reason = reason;
  const bool knows_old = has_state_ && (reason == EpochReason::rolled_back || old.origin == newest_origin_);
  state_.previous_origin = knows_old ? old.origin : newest_origin_;
  state_.previous_size = knows_old ? old.durable.size : 0;
  has_state_ = true;
  return checked(state_file_.save(state_), options_.state);
}

NewEpoch Opening::new_epoch() const {
  NewEpoch epoch{state_.origin, state_.reason, std::nullopt, state_.previous_size};
  if (!state_.previous_origin.empty()) epoch.previous_origin = state_.previous_origin;
  return epoch;
}

// False: the log is not the one that this node last wrote, and `state_.reason` says how.
std::expected<bool, OpenFailure> Opening::continue_log() {
  const auto shape = read_shape(disk_, folder(), state_.origin);
  if (!shape) return std::unexpected(shape.error());
  if (shape->headers.empty()) {
    state_.reason = state_.durable.size > 0 ? EpochReason::rolled_back : state_.reason;
    return state_.durable.size == 0;
  }
  const Known known{state_.durable, options_.published_size ? options_.published_size(state_.origin) : 0};
  auto tail = read_tail(crypto_, disk_, folder(), *shape, known);
  if (!tail) return std::unexpected(tail.error());
  const auto is_ours = passed(crypto_, disk_, folder(), *shape, *tail, known.durable);
  if (!is_ours) return std::unexpected(is_ours.error());
  if (!is_ours->value_or(false)) {
    state_.reason = *is_ours ? EpochReason::forked : EpochReason::rolled_back;
    return false;
  }
  const auto first = first_leaf(crypto_, disk_, folder(), *shape);
  if (!first) return std::unexpected(first.error());
  if (*first) {
    conversation_ = (*first)->conversation;
    const auto sequence = next_sequence(crypto_, disk_, folder(), *shape, conversation_);
    if (!sequence) return std::unexpected(sequence.error());
    recovery_.log_sequence = *sequence;
  }
  if (const auto error = remove_unfinished(disk_, folder(), *shape)) return fail(error, folder());
  auto torn = set_torn_aside(disk_, folder(), *tail);
  if (!torn) return std::unexpected(torn.error());
  recovery_.torn = *std::move(torn);
  if (const auto error = confirm_tail(*tail)) return fail(error, segment_file(tail->header.number));
  segment_ = std::make_shared<Segment>();
  segment_->number = tail->header.number;
  segment_->first_index = tail->header.first_index;
  segment_->key = tail->header.key;
  log_->continue_segment(std::move(tail->file), tail->offset, tail->end);
  if (const auto done = load_segment_keys(); !done) return std::unexpected(done.error());
  return true;
}

Result Opening::load_segment_keys() {
  const std::string path = folder() + "/" + sheet_file(segment_->number);
  auto octets = read_file(disk_, path, kSheetSizeMax);
  if (!octets) return fail(octets.error(), path);
  const auto sheet = decode_sheet(*octets);
  if (!sheet) return fail(sheet.error(), path);
  const SealedSection* section = section_of(*sheet, 0);
  if (section == nullptr) return fail(JournalError::corrupt, path + ": no section of class 0");
  const auto key = options_.keys->day_key_of(section->retention_class, section->day, section->key);
  if (!key)
    return fail(JournalError::keys_missing,
                fmt::format("{}: key {} of {}: {}", path, hex_of(section->key), section->day, key.error().message()));
  auto nodes = open_section(crypto_, *sheet, state_.origin, *section, *key);
  if (!nodes) return fail(nodes.error(), path);
  segment_->keys = *std::move(nodes);
  segment_->day = day_from_number(section->day);
  segment_->sheet = *std::move(octets);
  return {};
}

Result Opening::make_first_segment() {
  if (const auto error = make_directories(disk_, options_.archive, "logs/" + state_.origin + "/segments"))
    return fail(error, folder());
  segment_ = std::make_shared<Segment>();
  segment_->day = std::chrono::floor<std::chrono::days>(options_.now);
  segment_->keys = new_seed();
  if (const auto error = make_sheet(crypto_, *options_.keys, state_.origin, *segment_))
    return fail(error, "key store: day key");
  return checked(log_->begin_segment(*segment_), folder());
}

Entry Opening::own_entry(LeafType type) {
  Entry entry;
  entry.type = type;
  entry.time = options_.now;
  if (is_bodiless(type)) {
    entry.conversation_sequence = segment_->number;
  } else {
    entry.conversation = conversation_;
    entry.conversation_sequence = recovery_.log_sequence++;
  }
  return entry;
}

OwnRecord Opening::own_record(const Entry& entry, std::size_t place) const {
  return {log_->durable().size + place, entry.time, entry.conversation, entry.conversation_sequence};
}

// What a new log, a new segment and a torn tail need said: one group, synced.
Result Opening::write_own_records() {
  PreparedGroup group;
  group.segment = segment_;
  group.first_index = log_->durable().size;
  if (group.first_index == 0) {
    fill_random(conversation_.octets);
    recovery_.new_epoch = new_epoch();
    Entry entry = own_entry(LeafType::log_opened);
    entry.second = archive_hash_;
    entry.payload = options_.epoch_record(*recovery_.new_epoch, own_record(entry, 0));
    group.entries.push_back(std::move(entry));
  }
  if (group.first_index == segment_->first_index) {
    Entry entry = own_entry(LeafType::segment_opened);
    entry.second = crypto_.sha256({segment_->sheet});
    group.entries.push_back(std::move(entry));
  }
  if (recovery_.torn) {
    const std::string path = folder() + "/" + recovery_.torn->path;
    const auto octets = read_file(disk_, path, UINT64_MAX);
    if (!octets) return fail(octets.error(), path);
    Entry entry = own_entry(LeafType::torn_tail);
    entry.second = crypto_.sha256({*octets});
    entry.payload = options_.gap_record(*recovery_.torn, own_record(entry, group.entries.size()));
    group.entries.push_back(std::move(entry));
  }
  if (group.entries.empty()) return {};
  for (const Entry& entry : group.entries)
    if (entry.payload.size() > kPayloadSizeMax) return fail(JournalError::too_large, "record of the opening");
  FrameMaker().make(group);
  PreparedGroup* const groups[] = {&group};
  if (const auto error = log_->write(groups)) return fail(error, folder());
  return checked(log_->sync(), folder());
}

std::expected<Opened, OpenFailure> Opening::run() {
  for (const auto step :
       {&Opening::refuse_foreign_folder, &Opening::prepare_folders, &Opening::take_lock, &Opening::read_known})
    if (const auto done = (this->*step)(); !done) return std::unexpected(done.error());
  auto reason = reason_for_new_epoch();
  if (!reason) {
    log_.emplace(disk_, folder(), state_.origin);
    const auto is_ours = continue_log();
    if (!is_ours) return std::unexpected(is_ours.error());
    if (!*is_ours) reason = state_.reason;
  }
  if (reason) {
    if (const auto done = begin_epoch(*reason); !done) return std::unexpected(done.error());
    log_.emplace(disk_, folder(), state_.origin);
  }
  if (!segment_)
    if (const auto done = make_first_segment(); !done) return std::unexpected(done.error());
  if (const auto done = write_own_records(); !done) return std::unexpected(done.error());

  OutageReserve reserve(disk_, options_.state, options_.site, options_.node);
  if (const auto error = reserve.prepare()) return fail(error, options_.state);
  if (const auto error = disk_.sync_directory(options_.state)) return fail(error, options_.state);
  auto outages = reserve.load();
  if (!outages) return fail(outages.error(), options_.state);
  recovery_.outages = *std::move(outages);
  state_.durable = log_->durable();
  state_.clean = false;
  if (const auto error = state_file_.save(state_)) return fail(error, options_.state);
  const auto log_key = options_.keys->log_key(state_.origin);
  if (!log_key) return fail(log_key.error(), "key store: key of " + state_.origin);
  auto journal =
      std::make_unique<Writer>(Writer::Start{options_, std::move(lock_), *std::move(log_), segment_,
                                             std::move(state_file_), state_, conversation_, log_key->secret});
  return Opened{std::move(journal), std::move(recovery_)};
}

}  // namespace

std::expected<Opened, OpenFailure> open(const Options& options) { return Opening(options).run(); }

std::error_code forget_outages(Disk& disk, const std::string& state, const std::string& site, const std::string& node) {
  return OutageReserve(disk, state, site, node).clear();
}

std::string log_folder(const std::string& archive, const std::string& origin) { return archive + "/logs/" + origin; }

}  // namespace chancery::journal
