#include "gateway/legs.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <openssl/evp.h>

#include "event/mask.h"
#include "gateway/conversations.h"

namespace chancery::gateway {
namespace {

// What of the content is compared. A redaction may remove the copies that cannot be masked (XHTML-IM), so what was
// redacted is compared by its plain texts only, under another label.
enum class Form : char { whole = 'w', redacted = 'r' };

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) {
    static EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // fetched once: costs as much as hashing
    if (context_ == nullptr || EVP_DigestInit_ex2(context_, kSha256, nullptr) != 1) std::abort();
  }
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(std::string_view text) {
    const std::uint64_t size = text.size();  // length first: parts cannot run into each other
    EVP_DigestUpdate(context_, &size, sizeof size);
    EVP_DigestUpdate(context_, text.data(), text.size());
  }
  void add(char tag) { EVP_DigestUpdate(context_, &tag, 1); }

  std::array<std::uint8_t, 16> finish() {
    std::array<std::uint8_t, 32> whole{};
    EVP_DigestFinal_ex(context_, whole.data(), nullptr);
    std::array<std::uint8_t, 16> half{};
    std::copy_n(whole.begin(), half.size(), half.begin());
    return half;
  }

 private:
  EVP_MD_CTX* context_;
};

bool is_plain(const TextPart& part) { return part.role != TextPart::Role::xhtml; }

// Not their language: some servers write the stream's own xml:lang (RFC 6120 §8.1.5) onto what had none. Nor their
// order: ejabberd puts the children of a stanza in another one.
void add_texts(Digest& digest, const Event& event, Form form, std::span<const Mask> masks) {
  if (event.texts.size() == 1 && masks.empty() && is_plain(event.texts.front())) {  // nearly every message
    digest.add(static_cast<char>(event.texts.front().role));
    digest.add(event.texts.front().text);
    return;
  }
  std::vector<std::pair<char, std::string>> texts;
  for (std::uint32_t i = 0; i < event.texts.size(); ++i) {
    const TextPart& part = event.texts[i];
    if (form == Form::redacted && !is_plain(part)) continue;
    texts.emplace_back(static_cast<char>(part.role), masks.empty() ? part.text : apply_masks(part.text, i, masks));
  }
  std::ranges::sort(texts);
  for (const auto& [role, text] : texts) {
    digest.add(role);
    digest.add(text);
  }
}

std::array<std::uint8_t, 16> key_of(const Event& event, const ConversationId& conversation, Form form,
                                    std::span<const Mask> masks) {
  Digest digest;
  digest.add(static_cast<char>(form));
  digest.add(static_cast<char>(event.kind));
  digest.add(conversation.bytes());
  digest.add(fold_address(event.from));
  digest.add(event.ref);
  digest.add(event.seal);
  digest.add(event.action ? 'a' : '-');
  if (event.kind == Kind::reaction || event.kind == Kind::opaque) digest.add(event.detail);
  add_texts(digest, event, form, masks);
  for (const File& file : event.files) {
    digest.add(file.name);
    digest.add(file.url);
    digest.add(file.digest);
  }
  return digest.finish();
}

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

constexpr std::size_t kSlotsMin = 1'024;

bool is_history(const Event& event) { return event.copy == Copy::delayed || event.copy == Copy::archive; }

}  // namespace

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
  const Key key = key_of(event, conversation, redacted ? Form::redacted : Form::whole, decision.masks);
  if (redacted) ++redacted_;
  if (2 * (used_ + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of(key);
  const auto number = static_cast<Number>(first_ + queue_.size());
  Slot& slot = slots_[slot_of(key, hash)];
  if (slot.hash == 0) {
    slot = {hash, number, number};
    ++used_;
  } else {
    entry(slot.youngest).next = number;
    slot.youngest = number;
  }
  queue_.push_back({key,
                    index,
                    hash_of(event.id),
                    hash_of(event.origin_id),
                    now,
                    decision.verdict == Verdict::refuse,
                    number,
                    0,
                    {}});
  expire(now);
}

std::optional<Legs::Match> Legs::match(const Event& event, const ConversationId& conversation, const ConnectionId& leg,
                                       Instant now) {
  if (!matchable(event)) return std::nullopt;
  expire(now);
  if (auto whole = match_under(key_of(event, conversation, Form::whole, {}), event, leg)) return whole;
  if (redacted_ == 0) return std::nullopt;
  return match_under(key_of(event, conversation, Form::redacted, {}), event, leg);
}

std::optional<Legs::Match> Legs::match_under(const Key& key, const Event& event, const ConnectionId& leg) {
  if (slots_.empty()) return std::nullopt;
  const Slot& slot = slots_[slot_of(key, hash_of(key))];
  if (slot.hash == 0) return std::nullopt;
  const std::uint64_t id = hash_of(event.id);
  const std::uint64_t origin_id = hash_of(event.origin_id);
  const std::uint64_t mark = hash_of(leg);
  const bool copy = is_history(event) || event.copy == Copy::resend;
  std::optional<Match> refused;
  for (Number number = slot.oldest;; number = entry(number).next) {
    Entry& known = entry(number);
    // Ids decide where both legs have one. A server may give an id to what had none (IRC msgid).
    const bool same_origin = origin_id != 0 && origin_id == known.origin_id;
    const bool other_id = id != 0 && known.id != 0 && id != known.id && !same_origin;
    if (!other_id && known.refused) {
      if (copy && !refused) refused = {known.index, true, true};
    } else if (!other_id) {
      if (copy) return Match{known.index, true, false};
      if (see(known, mark)) return Match{known.index, false, false};
    }
    if (number == slot.youngest) return refused;
  }
}

// False: this leg had it before.
bool Legs::see(Entry& known, std::uint64_t leg) {
  if (known.first_seen == leg || std::ranges::find(known.also_seen, leg) != known.also_seen.end()) return false;
  if (known.first_seen == 0)
    known.first_seen = leg;
  else
    known.also_seen.push_back(leg);
  ++seen_;
  return true;
}

void Legs::expire(Instant now) {
  while (!queue_.empty() &&
         (queue_.size() > entries_max_ || seen_ > kSeenMax || queue_.front().time + kRemembered < now))
    drop_oldest();
}

// The oldest of all is the oldest of its key too.
void Legs::drop_oldest() {
  const Entry& oldest = queue_.front();
  const std::size_t at = slot_of(oldest.key, hash_of(oldest.key));
  if (slots_[at].oldest == slots_[at].youngest)
    erase(at);
  else
    slots_[at].oldest = oldest.next;
  seen_ -= (oldest.first_seen != 0 ? 1U : 0U) + oldest.also_seen.size();
  queue_.pop_front();
  ++first_;
}

// ---- The table -----------------------------------------------------------------------------------------------------

std::size_t Legs::slot_of(const Key& key, std::uint64_t hash) {
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].hash != 0 && (slots_[at].hash != hash || entry(slots_[at].oldest).key != key))
    at = (at + 1) & (slots_.size() - 1);
  return at;
}

void Legs::grow() {
  std::vector<Slot> old(std::max(kSlotsMin, 2 * slots_.size()));
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.hash == 0) continue;
    std::size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].hash != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

// What stands behind it moves up, so that no search ends at a gap.
void Legs::erase(std::size_t gap) {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = (gap + 1) & mask; slots_[at].hash != 0; at = (at + 1) & mask) {
    const std::size_t home = slots_[at].hash & mask;
    if (((at - home) & mask) < ((at - gap) & mask)) continue;  // it would stand before its home
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = {};
  --used_;
}

}  // namespace chancery::gateway
