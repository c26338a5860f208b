#include "gateway/conversations.h"

#include <algorithm>
#include <cstdlib>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace chancery::gateway {
namespace {

// No address, room or network name holds a zero octet: the parts cannot run into each other.
constexpr char kSeparator = '\0';

}  // namespace

void append_folded(std::string& out, std::string_view address) {
  const std::size_t before = out.size();
  out.append(address);
  for (std::size_t i = before; i < out.size(); ++i)
    if (out[i] >= 'A' && out[i] <= 'Z') out[i] = static_cast<char>(out[i] - 'A' + 'a');
}

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
  const std::size_t one = key_.size();
  append_folded(key_, event.from);
  const std::size_t two = key_.size();
  append_folded(key_, to);
  const auto begin = key_.begin();
  const auto first = begin + static_cast<std::ptrdiff_t>(one);
  const auto second = begin + static_cast<std::ptrdiff_t>(two);
  if (Bytes{key_}.substr(two) < Bytes{key_}.substr(one, two - one)) {
    std::rotate(first, second, key_.end());
    key_.insert(one + key_.size() - two, 1, kSeparator);
  } else {
    key_.insert(two, 1, kSeparator);
  }
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
