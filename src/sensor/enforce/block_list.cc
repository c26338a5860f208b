#include "sensor/enforce/block_list.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace chancery::sensor {
namespace {

using archive::Database;
using archive::SqliteError;
using archive::Statement;
namespace fs = std::filesystem;

constexpr std::int64_t kSchemaVersion = 1;

// STRICT: a column holds what it says. Times are nanoseconds since 1970.
constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS seen (
  client TEXT NOT NULL, server TEXT NOT NULL, port INTEGER NOT NULL, transport TEXT NOT NULL,
  application TEXT NOT NULL, category INTEGER NOT NULL, host TEXT NOT NULL, managed INTEGER NOT NULL,
  evidence TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, flows INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY (client, server, port, transport, application, host, managed)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_last ON seen (last);
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL UNIQUE, state TEXT NOT NULL, application TEXT NOT NULL,
  category INTEGER NOT NULL, reason TEXT NOT NULL, clients TEXT NOT NULL, client_count INTEGER NOT NULL,
  flows INTEGER NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, proposed_at INTEGER NOT NULL,
  decided_by TEXT NOT NULL, decided_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS decisions (
  time INTEGER NOT NULL, entry INTEGER NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, by TEXT NOT NULL,
  expires_at INTEGER NOT NULL) STRICT;
PRAGMA user_version = 1;
)";

constexpr const char* kEntryColumns =
    "id, target, state, application, category, reason, clients, client_count, flows, first_seen, last_seen, "
    "proposed_at, "
    "decided_by, decided_at, expires_at";

// All or nothing.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }
  Transaction(const Transaction&) = delete;
  ~Transaction() {
    if (done_) return;
    try {
      database_.execute("ROLLBACK");
    } catch (const SqliteError&) {  // SQLite has rolled back by itself
    }
  }
  void commit() {
    database_.execute("COMMIT");
    done_ = true;
  }

 private:
  Database& database_;
  bool done_ = false;
};

Instant instant(const Statement& row, int column) { return from_unix_ns(row.integer(column)); }

// Zero: none.
std::optional<Instant> optional_instant(const Statement& row, int column) {
  return row.integer(column) == 0 ? std::nullopt : std::optional{instant(row, column)};
}
std::int64_t column(const std::optional<Instant>& time) { return time ? unix_ns(*time) : 0; }

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    parts.emplace_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return parts;
}

Category category(std::int64_t value) {
  return value >= 0 && value <= static_cast<std::int64_t>(Category::other) ? static_cast<Category>(value)
                                                                           : Category::other;
}

BlockEntry read_entry(const Statement& row) {
  BlockEntry entry;
  entry.id = static_cast<std::uint64_t>(row.integer(0));
  const auto target = BlockTarget::parse(row.octets(1));
  const auto state = parse_block_state(row.octets(2));
  if (!target || !state) throw BlockListError{fmt::format("block list entry {} is damaged", entry.id)};
  entry.target = *target;
  entry.state = *state;
  entry.application = row.octets(3);
  entry.category = category(row.integer(4));
  entry.reason = row.octets(5);
  entry.clients = split(row.octets(6));
  entry.client_count = static_cast<std::uint64_t>(row.integer(7));
  entry.flows = static_cast<std::uint64_t>(row.integer(8));
  entry.first_seen = instant(row, 9);
  entry.last_seen = instant(row, 10);
  entry.proposed_at = instant(row, 11);
  entry.decided_by = row.octets(12);
  entry.decided_at = optional_instant(row, 13);
  entry.expires_at = optional_instant(row, 14);
  return entry;
}

std::optional<Seen> read_seen(const Statement& row) {
  const auto client = parse_address(row.octets(0));
  const auto server = parse_address(row.octets(1));
  if (!client || !server) return std::nullopt;
  Seen seen;
  seen.client = *client;
  seen.server = {*server, static_cast<std::uint16_t>(row.integer(2))};
  seen.transport = row.octets(3) == "udp" ? Transport::udp : Transport::tcp;
  seen.application = row.octets(4);
  seen.category = category(row.integer(5));
  seen.host = row.octets(6);
  seen.managed = row.integer(7) != 0;
  seen.evidence = row.octets(8);
  seen.first = instant(row, 9);
  seen.last = instant(row, 10);
  seen.flows = static_cast<std::uint64_t>(row.integer(11));
  seen.bytes = static_cast<std::uint64_t>(row.integer(12));
  return seen;
}

bool may_become(BlockState from, BlockState to) {
  switch (to) {
    case BlockState::approved:
      return from != BlockState::approved;
    case BlockState::rejected:
      return from == BlockState::proposed;
    case BlockState::revoked:
      return from == BlockState::approved;
    case BlockState::proposed:
    case BlockState::expired:
      break;
  }
  return false;
}

}  // namespace

BlockList BlockList::open(const fs::path& folder, bool must_exist) {
  const fs::path file = folder / "blocks.db";
  if (must_exist && !fs::exists(file))
    throw BlockListError{fmt::format("{}: no block list is here; `chancery blocks propose -d {} -r FILE` makes one",
                                     folder.string(), folder.string())};
  try {
    if (!fs::exists(folder)) {
      fs::create_directories(folder);
      fs::permissions(folder, fs::perms::owner_all);  // it says who talked to whom
    }
    Database database{file, Database::Mode::write};
    Statement version{database, "PRAGMA user_version"};
    if (version.step() && version.integer(0) > kSchemaVersion)
      throw BlockListError{fmt::format("{}: made by a newer chancery", file.string())};
    version.reset();
    database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.execute(kSchema);
    return BlockList{std::move(database)};
  } catch (const SqliteError& error) {
    throw BlockListError{fmt::format("{}: {}", file.string(), error.what())};
  } catch (const fs::filesystem_error& error) {
    throw BlockListError{fmt::format("{}: {}", folder.string(), error.code().message())};
  }
}

void BlockList::remember(std::span<const Seen> rows) try {
  Transaction transaction{database_};
  Statement insert{database_, R"(
INSERT INTO seen (client, server, port, transport, application, category, host, managed, evidence, first, last, flows, bytes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last),
  flows = flows + excluded.flows, bytes = bytes + excluded.bytes)"};
  for (const Seen& seen : rows) {
    const std::string client = seen.client.text(), server = seen.server.address.text();
    insert.bind(1, client).bind(2, server).bind(3, std::int64_t{seen.server.port}).bind(4, to_string(seen.transport));
    insert.bind(5, seen.application).bind(6, static_cast<std::int64_t>(seen.category)).bind(7, seen.host);
    insert.bind(8, std::int64_t{seen.managed}).bind(9, seen.evidence).bind(10, unix_ns(seen.first));
    insert.bind(11, unix_ns(seen.last)).bind(12, static_cast<std::int64_t>(seen.flows));
    insert.bind(13, static_cast<std::int64_t>(seen.bytes));
    insert.run();
  }
  Statement count{database_, "SELECT count(*) FROM seen"};
  count.step();
  const std::int64_t excess = count.integer(0) - static_cast<std::int64_t>(kSeenRowsMax);
  count.reset();
  if (excess > 0) {
    // Rows that share the last one's time go with it: the bound holds, a few more may be forgotten.
    Statement forget{database_,
                     "DELETE FROM seen WHERE last <= (SELECT last FROM seen ORDER BY last LIMIT 1 OFFSET ?1)"};
    forget.bind(1, excess - 1).run();
  }
  transaction.commit();
} catch (const SqliteError& error) {
  throw BlockListError{fmt::format("the block list cannot be written: {}", error.what())};
}

std::vector<Seen> BlockList::traffic(std::optional<Instant> since) const try {
  std::vector<Seen> rows;
  Statement select{
      database_,
      "SELECT client, server, port, transport, application, category, host, managed, evidence, first, last, "
      "flows, bytes FROM seen WHERE last >= ?1"};
  select.bind(1, since ? unix_ns(*since) : std::numeric_limits<std::int64_t>::min());
  while (select.step())
    if (auto seen = read_seen(select)) rows.push_back(std::move(*seen));
  return rows;
} catch (const SqliteError& error) {
  throw BlockListError{fmt::format("the block list cannot be read: {}", error.what())};
}

std::size_t BlockList::add(std::span<const BlockEntry> proposals) try {
  Transaction transaction{database_};
  Statement known{database_, "SELECT 1 FROM entries WHERE target = ?1"};
  Statement insert{database_, R"(
INSERT INTO entries (target, state, application, category, reason, clients, client_count, flows, first_seen, last_seen,
  proposed_at, decided_by, decided_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, '', 0, 0)
ON CONFLICT (target) DO UPDATE SET reason = excluded.reason, clients = excluded.clients,
  client_count = excluded.client_count, flows = excluded.flows, first_seen = min(first_seen, excluded.first_seen),
  last_seen = max(last_seen, excluded.last_seen))"};
  std::size_t added = 0;
  for (const BlockEntry& entry : proposals) {
    const std::string target = entry.target.text();
    const std::string clients = fmt::format("{}", fmt::join(entry.clients, " "));
    known.bind(1, target);
    if (!known.step()) ++added;
    known.reset();
    insert.bind(1, target).bind(2, to_string(BlockState::proposed)).bind(3, entry.application);
    insert.bind(4, static_cast<std::int64_t>(entry.category)).bind(5, entry.reason).bind(6, clients);
    insert.bind(7, static_cast<std::int64_t>(entry.client_count)).bind(8, static_cast<std::int64_t>(entry.flows));
    insert.bind(9, unix_ns(entry.first_seen)).bind(10, unix_ns(entry.last_seen)).bind(11, unix_ns(entry.proposed_at));
    insert.run();
  }
  transaction.commit();
  return added;
} catch (const SqliteError& error) {
  throw BlockListError{fmt::format("the block list cannot be written: {}", error.what())};
}

std::vector<BlockEntry> BlockList::entries() const try {
  std::vector<BlockEntry> out;
  Statement select{database_, fmt::format("SELECT {} FROM entries ORDER BY id", kEntryColumns)};
  while (select.step()) out.push_back(read_entry(select));
  return out;
} catch (const SqliteError& error) {
  throw BlockListError{fmt::format("the block list cannot be read: {}", error.what())};
}

std::optional<BlockEntry> BlockList::find(std::uint64_t id) const try {
  Statement select{database_, fmt::format("SELECT {} FROM entries WHERE id = ?1", kEntryColumns)};
  select.bind(1, static_cast<std::int64_t>(id));
  if (!select.step()) return std::nullopt;
  return read_entry(select);
} catch (const SqliteError& error) {
  throw BlockListError{fmt::format("the block list cannot be read: {}", error.what())};
}

// The state of an entry and a line that says who decided, always together.
void BlockList::save(const BlockEntry& entry) {
  Statement update{database_,
                   "UPDATE entries SET state = ?2, decided_by = ?3, decided_at = ?4, expires_at = ?5 WHERE id = ?1"};
  update.bind(1, static_cast<std::int64_t>(entry.id)).bind(2, to_string(entry.state)).bind(3, entry.decided_by);
  update.bind(4, column(entry.decided_at)).bind(5, column(entry.expires_at)).run();
  const std::string target = entry.target.text();
  Statement note{database_,
                 "INSERT INTO decisions (time, entry, target, state, by, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
  note.bind(1, column(entry.decided_at)).bind(2, static_cast<std::int64_t>(entry.id)).bind(3, target);
  note.bind(4, to_string(entry.state)).bind(5, entry.decided_by).bind(6, column(entry.expires_at)).run();
}

BlockEntry BlockList::decide(std::uint64_t id, BlockState state, const std::string& by, Instant now,
                             std::optional<Instant> expires) try {
  Transaction transaction{database_};
  auto entry = find(id);
  if (!entry) throw BlockListError{fmt::format("no entry {}; `chancery blocks list` shows them", id)};
  if (!may_become(entry->state, state))
    throw BlockListError{fmt::format("entry {} ({}) is {}: it cannot become {}", id, entry->target.text(),
                                     to_string(entry->state), to_string(state))};
  entry->state = state;
  entry->decided_by = by;
  entry->decided_at = now;
  entry->expires_at = state == BlockState::approved ? expires : std::nullopt;
  save(*entry);
  transaction.commit();
  return *entry;
} catch (const SqliteError& error) {
  throw BlockListError{fmt::format("the block list cannot be written: {}", error.what())};
}

std::vector<BlockEntry> BlockList::expire(Instant now) try {
  Transaction transaction{database_};
  std::vector<BlockEntry> expired;
  for (BlockEntry& entry : entries()) {
    if (entry.state != BlockState::approved || entry.in_force(now)) continue;
    entry.state = BlockState::expired;
    entry.decided_by = "its own time limit";
    entry.decided_at = now;
    save(entry);
    expired.push_back(std::move(entry));
  }
  transaction.commit();
  return expired;
} catch (const SqliteError& error) {
  throw BlockListError{fmt::format("the block list cannot be written: {}", error.what())};
}

}  // namespace chancery::sensor
