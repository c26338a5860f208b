#include "gateway/conversations.h"

#include <algorithm>
#include <cstdlib>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace chancery::gateway {
namespace {

void append_folded(std::string& out, std::string_view address) {
  for (const char c : address) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// No address, room or network name holds a zero octet: the parts cannot run into each other.
constexpr char kSeparator = '\0';

}  // namespace

std::string fold_address(std::string_view address) {
  std::string folded;
  append_folded(folded, address);
  return folded;
}

ConversationId Conversations::of(std::string_view network, const Event& event) {
  key_.assign(network);
  key_ += kSeparator;
  if (event.scope == Scope::room) {
    key_ += "room";
    key_ += kSeparator;
    append_folded(key_, event.room);
    return identify(key_);
  }
  key_ += "direct";
  key_ += kSeparator;
  const std::string_view to = event.to.empty() ? std::string_view{} : std::string_view{event.to.front()};
  std::string one = fold_address(event.from);
  std::string two = fold_address(to);
  if (two < one) std::swap(one, two);
  key_ += one;
  key_ += kSeparator;
  key_ += two;
  return identify(key_);
}

ConversationId Conversations::identify(const std::string& key) {
  if (const auto known = ids_.find(key); known != ids_.end()) return known->second;
  std::array<unsigned char, 32> mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
           reinterpret_cast<const unsigned char*>(key.data()), key.size(), mac.data(), &size) == nullptr)
    std::abort();  // out of memory
  ConversationId id;
  std::copy_n(mac.begin(), id.octets.size(), id.octets.begin());
  if (ids_.size() >= kRememberedMax) ids_.clear();
  ids_.emplace(key, id);
  return id;
}

void Conversations::used(const ConversationId& id, std::uint64_t sequence) {
  std::uint64_t& next = next_[id];
  next = std::max(next, sequence + 1);
}

}  // namespace chancery::gateway
