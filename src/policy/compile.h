#pragma once
// From policy text (docs/guide/policy.md) to the chain that judges. Everything here is a function of its arguments: the
// compiled Hyperscan database, which is slow to build for long lexicons, is kept by whoever implements Cache.
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "policy/stage.h"
#include "policy/text.h"

namespace chancery::policy {

// Keeps compiled databases between runs. What `load` returns is checked (digest, library version, processor), so a
// damaged or foreign entry costs a rebuild and nothing else. config/policy_file.h has the one on disk.
class Cache {
 public:
  virtual ~Cache() = default;
  virtual std::optional<Buffer> load(std::string_view key) = 0;  // key: [a-z0-9.-]+
  virtual void store(std::string_view key, Bytes octets) = 0;    // best effort
};

// First 16 hex digits of SHA-256 of the text.
std::string revision_of(std::string_view text);

// Throws yaml::Error (file, line, key, what would be valid). `file` is only for messages; `cache` may be null.
std::shared_ptr<const Policy> compile(std::string_view text, std::string_view file, Cache* cache);
std::shared_ptr<const Policy> compile(const Text& text, Cache* cache);

// The policy of a gateway that has none: everything is forwarded (and recorded), nothing is shown.
std::shared_ptr<const Policy> forward_everything();

}  // namespace chancery::policy
