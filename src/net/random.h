#pragma once
// Randomness for ids and nonces, from OpenSSL's generator. The only place above the codecs that draws it.
#include "core/bytes.h"
#include "core/id.h"

namespace chancery::net {

void fill_random(std::uint8_t* octets, std::size_t size);  // aborts when the system has no randomness to give

template <class Id>
Id random_id() {
  Id id;
  fill_random(id.octets.data(), id.octets.size());
  return id;
}

}  // namespace chancery::net
