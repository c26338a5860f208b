// SHA256_*: deprecated by OpenSSL 3 in favour of EVP, and kept; EVP's own work costs as much as a block of the text.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "gateway/legs.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <openssl/sha.h>
#include <span>

#include "event/mask.h"
#include "gateway/conversations.h"

namespace chancery::gateway {
namespace {

// What of the content is compared. A redaction may remove the copies that cannot be masked (XHTML-IM), so what was
// redacted is compared by its plain texts only, under another label.
enum class Form : char { whole = 'w', redacted = 'r' };

bool is_plain(const TextPart& part) { return part.role != TextPart::Role::xhtml; }
bool is_tag(const TextPart& part) { return part.role == TextPart::Role::tag; }

std::uint64_t hash_of(std::string_view text) {
  if (text.empty()) return 0;
  return std::hash<std::string_view>{}(text) | 1;
}

// Never 0, which says that no leg had it.
std::uint64_t hash_of(const ConnectionId& leg) {
  const std::uint64_t value = std::hash<ConnectionId>{}(leg);
  return value == 0 ? ~value : value;
}

// Of a key, which is a digest already. Never 0: the top bit tells a slot in use.
std::uint64_t hash_of(const std::array<std::uint8_t, 16>& key) {
  std::uint64_t value = 0;
  std::memcpy(&value, key.data(), sizeof value);
  return value | std::uint64_t{1} << 63;
}

std::uint64_t hash_with(std::uint64_t key, std::uint64_t other) {
  std::uint64_t value = (key ^ other) * 0x9e3779b97f4a7c15ULL;  // both are hashes: this only keeps them apart
  value ^= value >> 32;
  return value | std::uint64_t{1} << 63;
}

// The slot of an entry that is soon forgotten is fetched this many entries ahead.
constexpr std::size_t kFetchAhead = 4;
// Shorter walks are not worth a cursor.
constexpr std::size_t kWalkShort = 4;

std::uint32_t seconds_of(Instant time) {
  return static_cast<std::uint32_t>(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count());
}

bool is_history(const Event& event) { return event.copy == Copy::delayed || event.copy == Copy::archive; }

}  // namespace

// ---- The digest of a message's content -----------------------------------------------------------------------------

class Legs::Digest {
 public:
  Key of(const Event& event, const ConversationId& conversation, Form form, std::span<const Mask> masks) {
    text_.clear();
    add(static_cast<char>(form));
    add(static_cast<char>(event.kind));
    add(conversation.bytes());
    add_folded(event.from);
    add(event.ref);
    add(event.seal);
    add(event.action ? 'a' : '-');
    if (event.kind == Kind::reaction || event.kind == Kind::opaque) add(event.detail);
    add_texts(event, form, masks, false);
    for (const File& file : event.files) {
      add(file.name);
      add(file.url);
      add(file.digest);
    }
    return finish();
  }

  std::optional<Key> of_tags(const Event& event, Form form, std::span<const Mask> masks) {
    if (std::ranges::none_of(event.texts, is_tag)) return std::nullopt;
    text_.clear();
    add_texts(event, form, masks, true);
    return finish();
  }

 private:
  void add(char tag) { text_.push_back(tag); }
  void add(std::string_view text) {
    add_size(text.size());
    text_.append(text);
  }
  void add_folded(std::string_view address) {
    add_size(address.size());
    append_folded(text_, address);
  }
  // In front of each text: parts cannot run into each other.
  void add_size(std::uint64_t size) {
    if (size < kSizeIsLong) return text_.push_back(static_cast<char>(size));
    std::array<char, 1 + sizeof size> octets{static_cast<char>(kSizeIsLong)};
    std::memcpy(octets.data() + 1, &size, sizeof size);
    text_.append(octets.data(), octets.size());
  }

  // All texts but the tags, or the tags alone. Not their language: some servers write the stream's own xml:lang
  // (RFC 6120 §8.1.5) onto what had none. Nor their order: ejabberd puts the children of a stanza in another one.
  void add_texts(const Event& event, Form form, std::span<const Mask> masks, bool tags) {
    const auto is_nearly_every = [&] {
      return event.texts.size() == 1 && masks.empty() && is_plain(event.texts.front());
    };
    if (!tags && is_nearly_every() && !is_tag(event.texts.front())) {
      add(static_cast<char>(event.texts.front().role));
      add(event.texts.front().text);
      return;
    }
    std::vector<std::pair<char, std::string>> texts;
    for (std::uint32_t i = 0; i < event.texts.size(); ++i) {
      const TextPart& part = event.texts[i];
      if (is_tag(part) != tags || (form == Form::redacted && !is_plain(part))) continue;
      texts.emplace_back(static_cast<char>(part.role), masks.empty() ? part.text : apply_masks(part.text, i, masks));
    }
    std::ranges::sort(texts);
    for (const auto& [role, text] : texts) {
      add(role);
      add(text);
    }
  }

  Key finish() {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> whole;
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, text_.data(), text_.size());
    SHA256_Final(whole.data(), &state);
    if (text_.capacity() > kKeptMax) std::string().swap(text_);
    Key half{};
    std::copy_n(whole.begin(), half.size(), half.begin());
    return half;
  }

  static constexpr std::uint64_t kSizeIsLong = 0xff;  // eight octets of it follow
  static constexpr std::size_t kKeptMax = 64U << 10;  // octets

  std::string text_;  // what is hashed; kept for its memory
};

// ---- The table -----------------------------------------------------------------------------------------------------

void Legs::FreeEntries::operator()(Entry* entries) const {
  ::operator delete(entries, std::align_val_t{alignof(Entry)});
}

Legs::Legs(std::size_t entries_max)
    : entries_max_(entries_max),
      digest_(std::make_unique<Digest>()),
      mask_(static_cast<Number>(std::bit_ceil(entries_max + 2) - 1)) {
  const std::size_t octets = (std::size_t{mask_} + 1) * sizeof(Entry);
  entries_.reset(static_cast<Entry*>(::operator new(octets, std::align_val_t{alignof(Entry)})));
}

Legs::Legs(Legs&&) noexcept = default;
Legs& Legs::operator=(Legs&&) noexcept = default;
Legs::~Legs() = default;

bool Legs::matchable(const Event& event) {
  switch (event.kind) {
    case Kind::message:
    case Kind::edit:
    case Kind::retraction:
    case Kind::reaction:
    case Kind::topic:
    case Kind::file_offer:
    case Kind::sealed:
      return event.scope != Scope::network;
    default:
      return false;
  }
}

void Legs::add(const Event& event, const Decision& decision, const ConversationId& conversation, std::uint64_t index,
               Instant now) {
  if (!matchable(event) || decision.verdict == Verdict::hold) return;
  const bool redacted = decision.verdict == Verdict::redact;
  const Form form = redacted ? Form::redacted : Form::whole;
  const Key key = digest_->of(event, conversation, form, decision.masks);
  const auto tags = digest_->of_tags(event, form, decision.masks);
  if (redacted) ++redacted_;
  const std::uint64_t hash = hash_of(key);
  all_.prefetch(hash);
  expire(now);
  if (size_ > 0 && size_ >= entries_max_) drop_oldest();
  if (entries_max_ == 0) return;
  const auto number = static_cast<Number>(first_ + size_);
  const Entry fresh{.key = key,
                    .index = index,
                    .id = hash_of(event.id),
                    .origin_id = hash_of(event.origin_id),
                    .first_seen = 0,
                    .time_s = seconds_of(now),
                    .is_by_id = 0,
                    .is_refused = decision.verdict == Verdict::refuse,
                    .is_in_room = 0,
                    .is_tagged = tags.has_value(),
                    .next = number,
                    .next_by_id = number};
  // As a whole: setting one bit of a page that was never used reads it first, and each page would fault twice.
  Entry& made = *static_cast<Entry*>(std::memcpy(static_cast<void*>(&entry(number)), &fresh, sizeof fresh));
  ++size_;
  if (tags) tags_[number] = *tags;
  const Number before = all_.add(hash, number, with_key(key));
  if (before == number) return;
  entry(before).next = number;
  if (made.id == 0) return;
  made.is_by_id = 1;
  entry(by_id_.add(hash_with(hash, made.id), number, with_id(key, made.id))).next_by_id = number;
}

std::optional<Legs::Match> Legs::match(const Event& event, const ConversationId& conversation, const ConnectionId& leg,
                                       Instant now) {
  if (!matchable(event)) return std::nullopt;
  expire(now);
  const auto tags = digest_->of_tags(event, Form::whole, {});
  if (auto whole = match_under(digest_->of(event, conversation, Form::whole, {}), tags, event, leg)) return whole;
  if (redacted_ == 0) return std::nullopt;
  return match_under(digest_->of(event, conversation, Form::redacted, {}), tags, event, leg);
}

// The oldest entry is nearly always the only one. Else those of the same id come first, then all of these words.
std::optional<Legs::Match> Legs::match_under(const Key& key, const std::optional<Key>& tags, const Event& event,
                                             const ConnectionId& leg) {
  const std::uint64_t hash = hash_of(key);
  const Chains::Slot* all = all_.find(hash, with_key(key));
  if (all == nullptr) return std::nullopt;
  const Sought sought{key,
                      hash_of(event.id),
                      hash_of(event.origin_id),
                      hash_of(leg),
                      tags,
                      is_history(event) || event.copy == Copy::resend};
  if (all->oldest == all->youngest) return is_other(all->oldest, sought) ? std::nullopt : take(all->oldest, sought);
  std::optional<Match> same;
  // The oldest of all is in no chain of its id.
  if (sought.id != 0 && entry(all->oldest).id == sought.id && !is_other(all->oldest, sought))
    same = take(all->oldest, sought);
  if (sought.id != 0 && (!same || same->refused))
    if (const auto* chain = by_id_.find(hash_with(hash, sought.id), with_id(key, sought.id)))
      if (const auto found = walk(Chain::by_id, *chain, sought); found && (!same || !found->refused)) same = found;
  if (same && !same->refused) return same;
  const auto any = walk(Chain::all, *all, sought);
  return any ? any : same;
}

// Ids decide where both legs have one. A server may give an id to what had none (IRC msgid). Tags that the first leg
// had not were never judged.
bool Legs::is_other(Number number, const Sought& sought) const {
  const Entry& known = entry(number);
  if (sought.tags && (known.is_tagged == 0 || tags_.at(number) != *sought.tags)) return true;
  const bool same_origin = sought.origin_id != 0 && sought.origin_id == known.origin_id;
  return sought.id != 0 && known.id != 0 && sought.id != known.id && !same_origin;
}

std::optional<Legs::Match> Legs::take(Number number, const Sought& sought) {
  const Entry& known = entry(number);
  if (sought.copy) return Match{known.index, true, known.is_refused != 0};
  if (known.is_refused == 0 && see(number, sought.leg)) return Match{known.index, false, false};
  return std::nullopt;
}

// The first that matches and was not refused; else, for copies, the first that was.
std::optional<Legs::Match> Legs::walk(Chain chain, const Chains::Slot& slot, const Sought& sought) {
  const std::uint64_t cursor = hash_with(slot.hash, sought.leg);
  std::size_t steps = 0;
  std::size_t passed = 0;
  std::optional<Match> found;
  Number number = first_to_try(chain, slot, sought, cursor);
  for (;; number = chain == Chain::all ? entry(number).next : entry(number).next_by_id, ++steps) {
    const bool other = is_other(number, sought);
    if (!other && (!found || entry(number).is_refused == 0)) found = take(number, sought);
    // Behind the first that is passed by, no cursor will save the way: from there on it is bounded.
    if (other || passed > 0 || (found && found->refused)) ++passed;
    if ((found && !found->refused) || number == slot.youngest || passed > kPassedMax) break;
  }
  if (!sought.copy && passed == 0 && steps > kWalkShort) {
    if (cursors_.size() >= kCursorsMax) cursors_.clear();
    cursors_[cursor] = number;
  }
  return found;
}

// Where the leg's cursor stands, if it still means this chain; else the oldest.
Legs::Number Legs::first_to_try(Chain chain, const Chains::Slot& slot, const Sought& sought, std::uint64_t cursor) {
  if (sought.copy || cursors_.empty()) return slot.oldest;
  const auto known = cursors_.find(cursor);
  if (known == cursors_.end()) return slot.oldest;
  const Number number = known->second;
  const auto age = [this](Number which) { return static_cast<Number>(which - first_); };
  const bool is_there = age(number) < size_ && age(number) >= age(slot.oldest) && entry(number).key == sought.key;
  if (!is_there || (chain == Chain::by_id && entry(number).id != sought.id)) return slot.oldest;
  return number;
}

// False: this leg had it before.
bool Legs::see(Number number, std::uint64_t leg) {
  Entry& known = entry(number);
  if (known.first_seen == leg) return false;
  if (known.first_seen == 0) {
    known.first_seen = leg;
  } else {
    auto& others = also_seen_[number];
    if (std::ranges::find(others, leg) != others.end()) return false;
    others.push_back(leg);
    known.is_in_room = 1;
  }
  ++seen_;
  return true;
}

void Legs::expire(Instant now) {
  constexpr std::uint32_t kRememberedSeconds = std::chrono::seconds{kRemembered}.count();
  const std::uint32_t now_s = seconds_of(now);
  while (size_ > 0 && (seen_ > kSeenMax || entry(first_).time_s + kRememberedSeconds < now_s)) drop_oldest();
}

// The oldest of all is the oldest of its key, and of its id, too.
void Legs::drop_oldest() {
  if (size_ > kFetchAhead) all_.prefetch(hash_of(entry(static_cast<Number>(first_ + kFetchAhead)).key));
  const Entry& oldest = entry(first_);
  const std::uint64_t hash = hash_of(oldest.key);
  all_.drop_oldest(hash, oldest.next, with_key(oldest.key));
  if (oldest.is_by_id != 0)
    by_id_.drop_oldest(hash_with(hash, oldest.id), oldest.next_by_id, with_id(oldest.key, oldest.id));
  if (oldest.first_seen != 0) --seen_;
  if (oldest.is_in_room != 0) {
    const auto others = also_seen_.find(first_);
    seen_ -= others->second.size();
    also_seen_.erase(others);
  }
  if (oldest.is_tagged != 0) tags_.erase(first_);
  --size_;
  ++first_;
}

}  // namespace chancery::gateway
