#pragma once
// The digests and ciphers that recognising needs: the one adapter of OpenSSL's cryptography in the sensor. None of
// them guards anything here; keys are computed from what the wire itself shows (RFC 9001 §5.2).
#include <cstdint>
#include <optional>

#include "core/bytes.h"

namespace chancery::sensor {

Buffer md5(Bytes octets);                                               // 16 octets
Buffer hmac_sha256(Bytes key, Bytes octets);                            // 32 octets
Buffer hkdf_expand_label(Bytes secret, Bytes label, std::size_t size);  // RFC 8446 §7.1, empty context; size <= 32

// AES-128-ECB of one block (RFC 9001 §5.4.3). `key` and `block` have 16 octets, else the answer is empty.
Buffer aes_128_block(Bytes key, Bytes block);
// AES-128-GCM; `sealed` ends with the tag of 16 octets. Nothing: it does not authenticate.
std::optional<Buffer> aes_128_gcm_open(Bytes key, Bytes nonce, Bytes header, Bytes sealed);
// AES-256-CTR; key 32 octets, counter 16.
Buffer aes_256_ctr(Bytes key, Bytes counter, Bytes octets);

}  // namespace chancery::sensor
