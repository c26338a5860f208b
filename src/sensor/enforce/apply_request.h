#pragma once
// What the enforcer is asked (docs/formats/enforcer.md): to refuse these addresses and ports for so long, in place of
// all it refused before. Whoever asks is not trusted: a request is taken whole or not at all. Pure.
#include <chrono>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "sensor/enforce/block_entry.h"
#include "sensor/enforce/network.h"

namespace chancery::sensor {

inline constexpr std::size_t kApplySizeMax = 1U << 20U;  // octets of a request
inline constexpr std::size_t kApplyEntriesMax = 10'000;
inline constexpr std::chrono::seconds kApplyTimeMax{7 * 86'400};  // one entry's; longer ones are asked for again

// Entries of `all` that are in force and no names, each for at most `lease`.
Buffer write_apply_request(std::span<const BlockEntry> all, Instant now, std::chrono::seconds lease);

// The end of a request was read; more is an error.
bool is_whole_apply_request(Bytes request);

// Entries as for export_blocks, or why the request is refused: one sentence, safe to log. `never` comes on top of what
// is always refused: loopback, link-local, multicast and other special ranges, and ports that everything uses.
std::expected<std::vector<BlockEntry>, std::string> read_apply_request(Bytes request, std::span<const Network> never,
                                                                       Instant now);

}  // namespace chancery::sensor
