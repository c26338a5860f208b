#include "gateway/memory.h"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

#include "core/crc32c.h"
#include "net/fd.h"

namespace chancery::gateway {
namespace {

bool about_connection(Kind kind) { return static_cast<int>(kind) >= static_cast<int>(Kind::stream_open); }

// ---- Snapshot: magic, CRC-32C of the rest, then numbers (big-endian, 8 octets) and texts (size, octets) ------------

constexpr std::string_view kMagic = "chancery-memory-2\n";

class Writer {
 public:
  void number(std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out_.push_back(static_cast<char>(value >> shift & 0xff));
  }
  void text(Bytes value) {
    number(value.size());
    out_.append(value);
  }
  const Buffer& octets() const { return out_; }

 private:
  Buffer out_;
};

class Parser {
 public:
  explicit Parser(Bytes in) : in_(in) {}
  std::uint64_t number() {
    if (in_.size() < 8) return fail();
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(in_[static_cast<std::size_t>(i)]);
    in_.remove_prefix(8);
    return value;
  }
  Bytes text() {
    const std::uint64_t size = number();
    if (size > in_.size()) {
      fail();
      return {};
    }
    const Bytes value = in_.substr(0, size);
    in_.remove_prefix(size);
    return value;
  }
  bool good() const { return good_; }
  bool at_end() const { return good_ && in_.empty(); }

 private:
  std::uint64_t fail() {
    good_ = false;
    in_ = {};
    return 0;
  }
  Bytes in_;
  bool good_ = true;
};

// One list, so that writing and reading cannot drift apart.
constexpr std::array kCounters{
    &Counters::read, &Counters::forwarded,     &Counters::redacted,           &Counters::refused,
    &Counters::held, &Counters::undeliverable, &Counters::unknown_after_crash};

void write_memory(Writer& out, const Memory& memory) {
  out.number(memory.size);
  out.number(static_cast<std::uint64_t>(unix_ns(memory.day)));
  for (const auto counter : kCounters) out.number(memory.today.*counter);
  out.number(memory.sequences.size());
  for (const auto& [id, next] : memory.sequences) {
    out.text(id.bytes());
    out.number(next);
  }
  out.number(memory.notices.size());
  for (const auto& [key, when] : memory.notices) {
    out.text(key);
    out.number(static_cast<std::uint64_t>(unix_ns(when)));
  }
  out.number(memory.unfinished.size());
  for (const auto& [connection, open] : memory.unfinished) {
    for (const Bytes text :
         {connection.bytes(), Bytes{open.protocol}, Bytes{open.network}, Bytes{open.account}, open.session.bytes()})
      out.text(text);
    out.number(open.next_sequence);
    for (const auto counter : kCounters) out.number(open.counters.*counter);
  }
}

bool read_unfinished(Parser& in, Memory& memory) {
  for (std::uint64_t left = in.number(); left > 0 && in.good(); --left) {
    const auto connection = ConnectionId::from_bytes(in.text());
    Memory::Unfinished open;
    open.protocol = in.text();
    open.network = in.text();
    open.account = in.text();
    const auto session = SessionId::from_bytes(in.text());
    open.next_sequence = in.number();
    for (const auto counter : kCounters) open.counters.*counter = in.number();
    if (!connection || !session) return false;
    open.session = *session;
    memory.unfinished[*connection] = std::move(open);
  }
  return true;
}

std::optional<Memory> read_memory(Parser& in) {
  Memory memory;
  memory.size = in.number();
  memory.day = from_unix_ns(static_cast<std::int64_t>(in.number()));
  for (const auto counter : kCounters) memory.today.*counter = in.number();
  for (std::uint64_t left = in.number(); left > 0 && in.good(); --left) {
    const auto id = ConversationId::from_bytes(in.text());
    const std::uint64_t next = in.number();
    if (!id) return std::nullopt;
    memory.sequences[*id] = next;
  }
  for (std::uint64_t left = in.number(); left > 0 && in.good(); --left) {
    std::string key{in.text()};
    memory.notices[std::move(key)] = from_unix_ns(static_cast<std::int64_t>(in.number()));
  }
  if (!read_unfinished(in, memory) || !in.at_end()) return std::nullopt;
  return memory;
}

std::error_code last_error() { return {errno, std::system_category()}; }

}  // namespace

// ---- The log's records ---------------------------------------------------------------------------------------------

void Recall::record(std::uint64_t index, const Leaf& leaf, const Bytes* payload) {
  std::optional<Record> record;
  if (payload != nullptr && !payload->empty())
    if (auto found = decode_record(*payload)) record = *std::move(found);
  decoded(index, leaf, record ? &*record : nullptr);
}

void Recall::decoded(std::uint64_t index, const Leaf& leaf, const Record* record) {
  memory_.size = index + 1;
  if (!leaf.conversation.is_nil()) {
    std::uint64_t& next = memory_.sequences[leaf.conversation];
    next = std::max(next, leaf.conversation_sequence + 1);
  }
  if (record != nullptr) read(index, *record);
}

void Recall::read(std::uint64_t index, const Record& record) {
  const auto day = std::chrono::floor<std::chrono::days>(record.time);
  if (day != std::chrono::floor<std::chrono::days>(memory_.day)) {
    memory_.day = record.time;
    memory_.today = {};
  }
  switch (record.event.kind) {
    case Kind::stream_open:
      memory_.unfinished[record.connection] = {record.protocol, record.network, record.account, record.session, 1, {}};
      return;
    case Kind::stream_close:
      memory_.unfinished.erase(record.connection);
      memory_.sequences.erase(ConversationId{record.connection.octets});
      return;
    case Kind::heartbeat:
      if (record.counters) memory_.today = *record.counters;
      return;
    case Kind::notice_shown:
      if (!record.event.id.empty()) memory_.notices[record.event.id] = record.time;
      break;
    default:
      break;
  }
  const auto open = memory_.unfinished.find(record.connection);
  if (open != memory_.unfinished.end()) {
    if (record.conversation.octets == record.connection.octets)
      open->second.next_sequence = record.conversation_sequence + 1;
    if (!record.account.empty()) open->second.account = record.account;
    if (!record.session.is_nil()) open->second.session = record.session;
  }
  read_event(index, record);
}

void Recall::read_event(std::uint64_t index, const Record& record) {
  if (about_connection(record.event.kind) || record.event.kind == Kind::delivery ||
      record.event.kind == Kind::notice_shown)
    return;
  if (legs_ != nullptr) legs_->add(record.event, record.decision, record.conversation, index, record.time);
  const auto open = memory_.unfinished.find(record.connection);
  if (open == memory_.unfinished.end()) return;
  Counters& counters = open->second.counters;
  ++counters.read;
  const Verdict verdict = record.decision.verdict;
  ++(verdict == Verdict::refuse ? counters.refused
     : verdict == Verdict::hold ? counters.held
                                : counters.unknown_after_crash);
}

// ---- Snapshot ------------------------------------------------------------------------------------------------------

std::error_code save_memory(const std::filesystem::path& file, std::string_view origin, const Memory& memory) {
  Writer body;
  body.text(origin);
  write_memory(body, memory);
  Writer head;
  head.number(crc32c(body.octets()));
  const Buffer whole = Buffer{kMagic} + head.octets() + body.octets();
  const std::filesystem::path temporary = file.string() + ".new";
  const net::Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return last_error();
  Bytes left = whole;
  while (!left.empty()) {
    const ssize_t count = ::write(fd.get(), left.data(), left.size());
    if (count < 0) return last_error();
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(fd.get()) != 0) return last_error();
  std::error_code error;
  std::filesystem::rename(temporary, file, error);
  return error;
}

std::optional<Memory> load_memory(const std::filesystem::path& file, std::string_view origin) {
  std::ifstream in(file, std::ios::binary);
  const Buffer whole(std::istreambuf_iterator<char>(in), {});
  if (!whole.starts_with(kMagic) || whole.size() < kMagic.size() + 8) return std::nullopt;
  Parser head(Bytes{whole}.substr(kMagic.size(), 8));
  const Bytes octets = Bytes{whole}.substr(kMagic.size() + 8);
  if (head.number() != crc32c(octets)) return std::nullopt;
  Parser body(octets);
  if (body.text() != origin) return std::nullopt;
  return read_memory(body);
}

}  // namespace chancery::gateway
