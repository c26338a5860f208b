#include "gateway/legs.h"

#include <algorithm>
#include <cstdlib>
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

std::uint64_t hash_of(const ConnectionId& leg) { return std::hash<ConnectionId>{}(leg); }

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
  if (!matchable(event) || decision.verdict == Verdict::refuse || decision.verdict == Verdict::hold) return;
  const bool redacted = decision.verdict == Verdict::redact;
  const Key key = key_of(event, conversation, redacted ? Form::redacted : Form::whole, decision.masks);
  entries_[key].push_back({index, hash_of(event.id), hash_of(event.origin_id), {}});
  order_.push_back({key, index, now});
  expire(now);
}

std::optional<Legs::Match> Legs::match(const Event& event, const ConversationId& conversation, const ConnectionId& leg,
                                       Instant now) {
  if (!matchable(event)) return std::nullopt;
  expire(now);
  if (auto whole = match_under(key_of(event, conversation, Form::whole, {}), event, leg)) return whole;
  return match_under(key_of(event, conversation, Form::redacted, {}), event, leg);
}

std::optional<Legs::Match> Legs::match_under(const Key& key, const Event& event, const ConnectionId& leg) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  const std::uint64_t id = hash_of(event.id);
  const std::uint64_t origin_id = hash_of(event.origin_id);
  const std::uint64_t mark = hash_of(leg);
  const bool copy = is_history(event) || event.copy == Copy::resend;
  for (Entry& entry : found->second) {
    // Ids decide where both legs have one. A server may give an id to what had none (IRC msgid).
    const bool same_origin = origin_id != 0 && origin_id == entry.origin_id;
    if (id != 0 && entry.id != 0 && id != entry.id && !same_origin) continue;
    const bool seen = std::find(entry.seen.begin(), entry.seen.end(), mark) != entry.seen.end();
    if (copy) return Match{entry.index, true};
    if (seen) continue;
    entry.seen.push_back(mark);
    ++seen_;
    return Match{entry.index, false};
  }
  return std::nullopt;
}

void Legs::expire(Instant now) {
  while (!order_.empty() &&
         (order_.size() > entries_max_ || seen_ > kSeenMax || order_.front().time + kRemembered < now))
    drop_oldest();
}

void Legs::drop_oldest() {
  const Age oldest = order_.front();
  order_.pop_front();
  const auto found = entries_.find(oldest.key);
  if (found == entries_.end()) return;
  std::erase_if(found->second, [&](const Entry& entry) {
    if (entry.index != oldest.index) return false;
    seen_ -= entry.seen.size();
    return true;
  });
  if (found->second.empty()) entries_.erase(found);
}

}  // namespace chancery::gateway
