#pragma once
// 32 secret octets that are wiped when they go.
#include <array>
#include <cstdint>
#include <openssl/crypto.h>

#include "core/bytes.h"

namespace chancery::journal {

class Secret {
 public:
  static constexpr std::size_t kSize = 32;

  Secret() = default;
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { OPENSSL_cleanse(octets_.data(), octets_.size()); }

  std::uint8_t* data() { return octets_.data(); }
  const std::uint8_t* data() const { return octets_.data(); }
  Bytes bytes() const { return {reinterpret_cast<const char*>(octets_.data()), octets_.size()}; }
  // Comparison takes the same time wherever they differ.
  bool operator==(const Secret& other) const { return CRYPTO_memcmp(data(), other.data(), kSize) == 0; }

 private:
  std::array<std::uint8_t, kSize> octets_{};
};

inline void wipe(Buffer& buffer) {
  if (!buffer.empty()) OPENSSL_cleanse(buffer.data(), buffer.size());
  buffer.clear();
}

}  // namespace chancery::journal
