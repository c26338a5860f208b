// Requests to a witness: no crash, and never a cosignature over what no log key signed.
#include <cstdlib>

#include "archive/witness/witness_core.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  static const merkle::SigningKey kWitness{"w.example", merkle::KeyType::cosignature,
                                           *merkle::PrivateKey::from_seed(Buffer(32, 'w'))};
  static const merkle::SigningKey kLog{"o", merkle::KeyType::ed25519, *merkle::PrivateKey::from_seed(Buffer(32, 'l'))};
  const auto request = merkle::AddCheckpoint::parse({reinterpret_cast<const char*>(data), size});
  if (!request) return 0;
  const auto origin = witness::origin_of(*request);
  const witness::WatchedLog log{origin.value_or("o"), {kLog.verifier()}, {}, {}};
  if (witness::decide(*request, &log, kWitness, 1).status == 200) std::abort();
  return 0;
}
