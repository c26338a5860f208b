#pragma once
// What a witness decides: C2SP tlog-witness, add-checkpoint. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "merkle/checkpoint.h"

namespace chancery::witness {

// One log that the witness watches.
struct WatchedLog {
  std::string origin;
  std::vector<merkle::VerifierKey> keys;  // of the log, named as its signature lines are
  std::optional<merkle::TreeHead> last;   // cosigned last
  Buffer checkpoint;                      // that checkpoint with its log signature and our cosignature; may be empty
};

// An HTTP answer, and what must be durable before it is sent.
struct Answer {
  unsigned status = 200;  // 200, 400, 403, 404, 409, 422
  std::string content_type = "text/plain; charset=utf-8";
  Buffer body;
  std::optional<WatchedLog> remember;  // only with 200
};

// The origin a request speaks of, to look the log up; nullopt: answer 400.
std::optional<std::string> origin_of(const merkle::AddCheckpoint& request);
// `log`: null when it is not watched.
Answer decide(const merkle::AddCheckpoint& request, const WatchedLog* log, const merkle::SigningKey& key,
              std::uint64_t time_s);

}  // namespace chancery::witness
