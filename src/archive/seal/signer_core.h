#pragma once
// What the signer decides: may this tree head be signed? Pure; time and the last signed head are arguments.
//
// A request is tlog-witness's add-checkpoint body with an unsigned checkpoint text: origin, size, root, and the one
// extension line "previous <base64>". The signer adds its own time and signs.
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "merkle/checkpoint.h"

namespace chancery::seal {

// The last head that was signed for one origin.
struct Signed {
  merkle::TreeHead head;
  Instant time;
  bool operator==(const Signed&) const = default;
};

struct SignRequest {
  std::string origin;
  merkle::TreeHead head;
  Hash previous{};             // of the last published note; zero octets for a log's first
  std::uint64_t old_size = 0;  // what the signer is thought to have signed last; 0: nothing
  merkle::Proof proof;         // consistency from old_size to head.size
  // Which of the signer's keys is to sign, by its key id for this origin; nullopt: the signer's first.
  std::optional<std::uint32_t> key_id = std::nullopt;

  Buffer encode() const;
  static std::expected<SignRequest, std::error_code> parse(Bytes body);
};

enum class Refusal : std::uint8_t {
  malformed,       // not a request
  foreign_origin,  // not a log of the node this signer works for
  conflict,        // old_size is not what was signed last: `size` says what was
  shrinking,       // smaller than what was signed
  forked,          // the proof does not lead from what was signed to this
  unknown_key,     // the signer does not hold the key that is to sign
};
std::string_view to_string(Refusal refusal);

struct Refused {
  Refusal why = Refusal::malformed;
  std::uint64_t size = 0;  // last signed
};

struct Approval {
  Buffer note;        // the signed checkpoint
  Signed signed_now;  // to be durable before the note is handed out
};

class SignerCore {
 public:
  // `origin_prefix`: "site/node/"; empty: any origin.
  SignerCore(merkle::PrivateKey key, std::string origin_prefix)
      : SignerCore(std::vector{std::move(key)}, origin_prefix) {}
  // `keys`: at least one, oldest first; while a key is being rotated, the old and the new one.
  SignerCore(std::vector<merkle::PrivateKey> keys, std::string origin_prefix)
      : keys_(std::move(keys)), origin_prefix_(std::move(origin_prefix)) {}

  std::expected<Approval, Refused> sign(const std::optional<Signed>& last, const SignRequest& request,
                                        Instant now) const;
  merkle::VerifierKey verifier(const std::string& origin) const { return verifiers(origin).front(); }
  std::vector<merkle::VerifierKey> verifiers(const std::string& origin) const;  // in the order of the keys

 private:
  const merkle::PrivateKey* key_for(const SignRequest& request) const;

  std::vector<merkle::PrivateKey> keys_;
  std::string origin_prefix_;
};

}  // namespace chancery::seal
