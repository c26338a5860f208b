#include "archive/month_index.h"

#include <algorithm>
#include <fmt/format.h>
#include <sqlite3.h>

#include "archive/query.h"
#include "archive/words.h"

namespace chancery::archive {
namespace {

constexpr std::int64_t kFormat = 1;  // PRAGMA user_version
constexpr std::int64_t kMinuteNs = 60'000'000'000;

constexpr const char* kSchema = R"sql(
  CREATE TABLE state(only INTEGER PRIMARY KEY CHECK(only = 1), origin TEXT, first INTEGER, complete_to INTEGER,
                     newest INTEGER, last_leaf BLOB);
  CREATE TABLE message(idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, record BLOB NOT NULL);
  CREATE TABLE minute(minute INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
  CREATE TABLE delivery(ref INTEGER, idx INTEGER, item INTEGER, session BLOB, recipient TEXT, time INTEGER,
                        copy INTEGER, PRIMARY KEY(ref, idx, item)) WITHOUT ROWID;
  CREATE TABLE change(subject INTEGER, idx INTEGER, PRIMARY KEY(subject, idx)) WITHOUT ROWID;
  CREATE VIRTUAL TABLE word USING fts5(text, tags, content='', columnsize=0, tokenize='chancery');
)sql";

std::int64_t minute_of(Instant time) {
  const std::int64_t ns = unix_ns(time);
  return ns >= 0 ? ns / kMinuteNs : -((-ns + kMinuteNs - 1) / kMinuteNs);
}

std::int64_t to_sql(std::uint64_t index) { return static_cast<std::int64_t>(index); }
std::uint64_t from_sql(std::int64_t index) { return static_cast<std::uint64_t>(index); }

// What a change refers to: FNV-1a over conversation and protocol id, as a key. Collisions are sorted out by reading.
std::int64_t subject_of(const ConversationId& conversation, std::string_view id) {
  std::uint64_t hash = 14695981039346656037U;
  const auto mix = [&](std::string_view octets) {
    for (const char c : octets) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  };
  mix(conversation.bytes());
  mix(id);
  return static_cast<std::int64_t>(hash);
}

bool changes_another(const Event& event) {
  return !event.ref.empty() &&
         (event.kind == Kind::edit || event.kind == Kind::retraction || event.kind == Kind::reaction);
}

std::int64_t one_integer(const Database& database, std::string_view sql) {
  Statement statement{database, sql};
  return statement.step() ? statement.integer(0) : 0;
}

MonthState read_state(const Database& database) {
  if (one_integer(database, "PRAGMA user_version") != kFormat)
    throw SqliteError(SQLITE_NOTADB, "an index of another format");
  Statement statement{database, "SELECT origin, first, complete_to, newest, last_leaf FROM state"};
  if (!statement.step()) throw SqliteError(SQLITE_CORRUPT, "an index without its state");
  MonthState state;
  state.origin = statement.octets(0);
  state.first = from_sql(statement.integer(1));
  state.complete_to = from_sql(statement.integer(2));
  state.newest = from_unix_ns(statement.integer(3));
  if (const Bytes leaf = statement.octets(4); leaf.size() == kLeafSize)
    std::copy(leaf.begin(), leaf.end(), state.last_leaf.emplace().begin());
  return state;
}

// Derived data: after a power loss the newest commits may be gone, but what is there is whole (SQLite, "synchronous").
void prepare(Database& database) {
  database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384");
}

void create(Database& database, std::string_view origin, std::uint64_t first) {
  database.execute("BEGIN IMMEDIATE");
  database.execute(kSchema);
  Statement{database, "INSERT INTO state VALUES(1, ?1, ?2, ?2, 0, NULL)"}.bind(1, origin).bind(2, to_sql(first)).run();
  database.execute(fmt::format("PRAGMA user_version={}; COMMIT", kFormat).c_str());
}

// Message text must not be taken for tags, and no word holds a control character.
void append_text(std::string& out, std::string_view text) {
  if (text.empty()) return;
  if (!out.empty()) out += '\n';
  const std::size_t begin = out.size();
  out += text;
  std::ranges::replace(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), kTagMark, ' ');
}

bool detail_is_text(Kind kind) {
  return kind == Kind::reaction || kind == Kind::nick || kind == Kind::leave || static_cast<int>(kind) >= 32;
}

void collect_text(const Event& event, std::string& out) {
  out.clear();
  bool body = false;
  for (const auto& part : event.texts) body = body || part.role == TextPart::Role::body;
  for (const auto& part : event.texts)
    if (part.role != TextPart::Role::xhtml || !body) append_text(out, part.text);
  for (const auto& file : event.files) {
    append_text(out, file.name);
    append_text(out, file.url);
  }
  if (detail_is_text(event.kind)) append_text(out, event.detail);
}

std::string_view bare(std::string_view address) { return address.substr(0, address.find('/')); }

void collect_tags(const Record& record, std::string& out) {
  out.clear();
  const Event& event = record.event;
  append_tag(out, Tag::kind, to_string(event.kind));
  append_tag(out, Tag::verdict, verdict_name(record));
  if (!record.network.empty()) append_tag(out, Tag::network, record.network);
  if (!event.from.empty()) append_tag(out, Tag::from, event.from);
  const bool own = record.read_from == Side::client && !record.account.empty();
  if (own && record.account != event.from) append_tag(out, Tag::from, record.account);
  if (const auto device = bare(event.from_device);
      !device.empty() && device.find('!') == std::string_view::npos && device != event.from && device != record.account)
    append_tag(out, Tag::from, device);
  for (const auto& to : event.to) append_tag(out, Tag::to, to);
  if (!event.room.empty()) append_tag(out, Tag::room, event.room);
  for (const auto& rule : record.decision.rules) append_tag(out, Tag::rule, rule);
  if (record.decision.rules.empty() && !record.decision.rule.empty()) append_tag(out, Tag::rule, record.decision.rule);
}

// The record without what no answer shows: the wire, and the places of texts in it.
Buffer stored_form(Record& record) {
  record.wire.clear();
  record.wire_in = 0;
  for (auto& part : record.event.texts) part.segments.clear();
  return encode(record);
}

}  // namespace

std::string month_of(Instant time) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  return fmt::format("{:04}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()));
}

MonthWriter::MonthWriter(const std::filesystem::path& file, std::string_view origin, std::uint64_t first)
    : database_(file, Database::Mode::write) {
  prepare(database_);
  if (one_integer(database_, "SELECT count(*) FROM sqlite_master") == 0) create(database_, origin, first);
  state_ = read_state(database_);
  if (state_.origin != origin) throw SqliteError(SQLITE_CORRUPT, "an index of another log");
  insert_message_.emplace(database_, "INSERT INTO message(idx, time, record) VALUES(?1, ?2, ?3)");
  insert_words_.emplace(database_, "INSERT INTO word(rowid, text, tags) VALUES(?1, ?2, ?3)");
  insert_delivery_.emplace(database_, "INSERT INTO delivery VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  insert_change_.emplace(database_, "INSERT INTO change VALUES(?1, ?2)");
  insert_minute_.emplace(
      database_, "INSERT INTO minute VALUES(?1, ?2, ?3) ON CONFLICT(minute) DO UPDATE SET last = excluded.last");
  save_state_.emplace(database_, "UPDATE state SET complete_to = ?1, newest = ?2, last_leaf = ?3");
}

void MonthWriter::begin() {
  if (pending_++ == 0) database_.execute("BEGIN IMMEDIATE");
}

void MonthWriter::advance(std::uint64_t index, Instant time, const LeafOctets& leaf) {
  state_.complete_to = index + 1;
  state_.newest = std::max(state_.newest, time);
  state_.last_leaf = leaf;
}

void MonthWriter::skip(std::uint64_t index, Instant time, const LeafOctets& leaf) {
  begin();
  advance(index, time, leaf);
}

void MonthWriter::add(std::uint64_t index, Record record, const LeafOctets& leaf) {
  begin();
  if (record.event.kind == Kind::delivery) {
    add_deliveries(index, record);
    return advance(index, record.time, leaf);
  }
  const Buffer stored = stored_form(record);
  insert_message_->bind(1, to_sql(index)).bind(2, unix_ns(record.time)).bind_blob(3, stored).run();
  collect_text(record.event, text_);
  collect_tags(record, tags_);
  insert_words_->bind(1, to_sql(index)).bind(2, text_).bind(3, tags_).run();
  if (changes_another(record.event))
    insert_change_->bind(1, subject_of(record.conversation, record.event.ref)).bind(2, to_sql(index)).run();
  const auto [minute, fresh] = minutes_.try_emplace(minute_of(record.time), index, index);
  if (!fresh) minute->second.second = index;
  advance(index, record.time, leaf);
}

void MonthWriter::add_deliveries(std::uint64_t index, const Record& record) {
  std::int64_t item = 0;
  for (const auto& delivery : record.deliveries) {
    insert_delivery_->bind(1, to_sql(delivery.ref)).bind(2, to_sql(index)).bind(3, item++);
    insert_delivery_->bind_blob(4, delivery.session.bytes()).bind(5, delivery.to).bind(6, unix_ns(delivery.time));
    insert_delivery_->bind(7, std::int64_t{delivery.matched_copy}).run();
  }
}

void MonthWriter::commit() {
  if (pending_ == 0) return;
  for (const auto& [minute, range] : minutes_)
    insert_minute_->bind(1, minute).bind(2, to_sql(range.first)).bind(3, to_sql(range.second)).run();
  minutes_.clear();
  const Bytes leaf = state_.last_leaf ? Bytes{state_.last_leaf->data(), kLeafSize} : Bytes{};
  save_state_->bind(1, to_sql(state_.complete_to)).bind(2, unix_ns(state_.newest)).bind_blob(3, leaf).run();
  database_.execute("COMMIT");
  pending_ = 0;
}

MonthReader::MonthReader(const std::filesystem::path& file) : database_(file, Database::Mode::read) {
  state_ = read_state(database_);
  at_.emplace(database_, "SELECT time, record FROM message WHERE idx = ?1");
  deliveries_.emplace(database_,
                      "SELECT session, recipient, time, copy FROM delivery WHERE ref = ?1 ORDER BY idx, item");
  changes_.emplace(database_, "SELECT idx FROM change WHERE subject = ?1 ORDER BY idx");
}

MonthReader::Cursor::Cursor(const Database& database, const std::string& match,
                            std::pair<std::uint64_t, std::uint64_t> range)
    : statement_(database, match.empty() ? "SELECT idx FROM message WHERE idx >= ?1 AND idx < ?2 ORDER BY idx DESC"
                                         : "SELECT rowid FROM word WHERE rowid >= ?1 AND rowid < ?2 AND word MATCH ?3 "
                                           "ORDER BY rowid DESC") {
  statement_.bind(1, to_sql(range.first)).bind(2, to_sql(range.second));
  if (!match.empty()) statement_.bind_copy(3, match);
}

bool MonthReader::Cursor::next() { return statement_.step(); }
std::uint64_t MonthReader::Cursor::index() const { return from_sql(statement_.integer(0)); }

// The places between which every record of that time lies: times may step back, so minutes may overlap.
std::pair<std::uint64_t, std::uint64_t> MonthReader::range_of(std::optional<Instant> since,
                                                              std::optional<Instant> until) const {
  std::pair<std::uint64_t, std::uint64_t> range{state_.first, state_.complete_to};
  if (!since && !until) return range;
  Statement statement{database_, "SELECT min(first), max(last) + 1 FROM minute WHERE minute BETWEEN ?1 AND ?2"};
  statement.bind(1, since ? minute_of(*since) : INT64_MIN).bind(2, until ? minute_of(*until) : INT64_MAX);
  if (!statement.step()) return {0, 0};
  return {from_sql(statement.integer(0)), from_sql(statement.integer(1))};
}

MonthReader::Cursor MonthReader::find(const std::string& match, std::optional<Instant> since,
                                      std::optional<Instant> until) const {
  return {database_, match, range_of(since, until)};
}

std::optional<MonthReader::Stored> MonthReader::at(std::uint64_t index, std::optional<Instant> since,
                                                   std::optional<Instant> until) {
  at_->reset().bind(1, to_sql(index));
  if (!at_->step()) return std::nullopt;
  const Instant time = from_unix_ns(at_->integer(0));
  if ((since && time < *since) || (until && time >= *until)) return std::nullopt;
  auto record = decode_record(at_->octets(1));
  at_->reset();
  if (!record) throw SqliteError(SQLITE_CORRUPT, "an index with a row that is no record");
  return Stored{time, std::move(*record)};
}

void MonthReader::deliveries_of(std::uint64_t index, std::vector<Delivery>& out) {
  deliveries_->reset().bind(1, to_sql(index));
  while (deliveries_->step()) {
    Delivery& delivery = out.emplace_back();
    delivery.ref = index;
    delivery.session = SessionId::from_bytes(deliveries_->octets(0)).value_or(SessionId{});
    delivery.to = deliveries_->octets(1);
    delivery.time = from_unix_ns(deliveries_->integer(2));
    delivery.matched_copy = deliveries_->integer(3) != 0;
  }
  deliveries_->reset();
}

std::vector<std::uint64_t> MonthReader::changes_of(const ConversationId& conversation, std::string_view id) {
  std::vector<std::uint64_t> found;
  changes_->reset().bind(1, subject_of(conversation, id));
  while (changes_->step()) found.push_back(from_sql(changes_->integer(0)));
  changes_->reset();
  return found;
}

bool MonthReader::check() {
  try {
    Statement statement{database_, "PRAGMA integrity_check(1)"};
    return statement.step() && statement.octets(0) == "ok";
  } catch (const SqliteError&) {
    return false;
  }
}

}  // namespace chancery::archive
