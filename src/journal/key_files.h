#pragma once
// The one-line files of the key store; docs/formats/keys.md. Pure text in, values out.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "journal/crypto.h"
#include "journal/keystore.h"

namespace chancery::journal {

struct WrappedKey {
  KeyInfo info;
  Buffer sealed;
};

KeyId key_id(Crypto& crypto, const Secret& key);

std::string master_name(std::uint32_t number);  // "master-00000001.key"
std::optional<std::uint32_t> master_number(std::string_view file_name);
std::string day_file_name(std::uint32_t day, std::uint16_t retention_class);  // "20261123-00000.key"
std::string log_file_name(Crypto& crypto, std::string_view origin);

Buffer master_text(const Secret& key);  // secret: wipe it
std::optional<Secret> parse_master(std::string_view text);

// The line up to and without " sealed=": what the sealing authenticates.
std::string associated_text(const KeyInfo& info);
std::string wrapped_text(const WrappedKey& key);
// Exact: a line that `wrapped_text` could not have made is refused.
std::optional<WrappedKey> parse_wrapped(std::string_view text);

}  // namespace chancery::journal
