// What parses is written again octet for octet, and nothing crashes.
#include <cstdlib>

#include "merkle/note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const Bytes input{reinterpret_cast<const char*>(data), size};
  static const merkle::PublicKey kKey{1, 2, 3};
  if (const auto note = merkle::parse_note(input)) {
    if (note->encode() != input) std::abort();
    for (const auto& signature : note->signatures)
      for (const auto type : {merkle::KeyType::ed25519, merkle::KeyType::cosignature})
        (void)merkle::check(*note, {signature.name, type, kKey});
  }
  if (const auto key = merkle::VerifierKey::parse(input); key && key->vkey() != input) std::abort();
  if (const auto key = merkle::SigningKey::parse(input); key && key->skey() != input) std::abort();
  return 0;
}
