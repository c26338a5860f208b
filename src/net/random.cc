#include "net/random.h"

#include <cstdlib>
#include <openssl/rand.h>

namespace chancery::net {

void fill_random(std::uint8_t* octets, std::size_t size) {
  // An id that is not random would join what must stay apart: there is no way on.
  if (RAND_bytes(octets, static_cast<int>(size)) != 1) std::abort();
}

}  // namespace chancery::net
