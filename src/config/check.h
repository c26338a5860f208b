#pragma once
// What `chancery config check` looks at beside the file itself: the files it names, certificates and their keys,
// addresses. The gateway's own secrets (key store, signer) are opened by app/config_secrets.h.
// Nothing is changed and no connection is made (app/config_probe.h asks the upstream servers).
#include <string>
#include <vector>

#include "core/time.h"
#include "gateway/config.h"

namespace chancery::config {

struct Finding {
  enum class Weight : std::uint8_t { warning, error };  // an error: the gateway would not start, or would not serve
  Weight weight = Weight::error;
  std::string place;     // "listeners[0] xmpp", "policy"
  std::string sentence;  // what is wrong, and what would be right
};

inline constexpr int kExpiryWarningDays = 30;

std::vector<Finding> check(const gateway::Config& config, Instant now);

}  // namespace chancery::config
