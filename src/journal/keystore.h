#pragma once
// The key store: the folder (ARCHIVE.keys) without which the bodies of an archive are unreadable. Format:
// docs/formats/keys.md. It holds master keys, and keys wrapped under them: one for each retention class and day (they
// seal key sheets), one for each log (Journal::derive_secret). Any thread may use it; any number of objects may
// stand on one folder.
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/time.h"
#include "journal/file.h"
#include "journal/secret.h"

namespace chancery::journal {

// The first 16 octets of SHA-256 over a label and the key: names a key without revealing it.
using KeyId = std::array<std::uint8_t, 16>;
std::string hex_of(const KeyId& id);
std::optional<KeyId> key_id_from_hex(std::string_view text);

enum class KeyStoreError {
  missing = 1,  // no key store there, or no such key in it
  exists,       // `create` where a key store already is
  malformed,    // a file of the store is damaged or not of this format
  wrong_key,    // the wrapped key does not open under its master key
  in_use,       // `retire` of the current master key, or of one that keys are still wrapped under
  not_private,  // a master key file that others may read
  read_only,    // rotate or retire where the master key comes from outside the store (a systemd credential)
};
std::error_code make_error_code(KeyStoreError error);

// What `keys show` prints; nothing of it is secret.
struct KeyInfo {
  enum class Kind : std::uint8_t { master, day, log } kind = Kind::master;
  KeyId id{};
  bool current = false;               // master: new keys are wrapped under it
  KeyId master{};                     // day, log: wrapped under this one
  std::uint16_t retention_class = 0;  // day
  std::uint32_t day = 0;              // day: yyyymmdd
  std::string origin{};               // log
  std::string path{};                 // the file
};

// Whoever holds master keys and wraps with them. The seam for PKCS#11: such a holder sends `secret` to the token.
class MasterKeys {
 public:
  virtual ~MasterKeys() = default;
  virtual KeyId current() const = 0;
  // nonce ‖ ciphertext ‖ tag, under the current master key.
  virtual std::expected<Buffer, std::error_code> wrap(const Secret& secret, Bytes associated) = 0;
  virtual std::expected<Secret, std::error_code> unwrap(const KeyId& master, Bytes wrapped, Bytes associated) = 0;
};

class KeyStore {
 public:
  // Makes the folder (0700) with a first master key (0600). Refuses (`exists`) if a master key is there.
  static std::error_code create(Disk& disk, const std::string& folder);

  // `credential`: path of a master key file outside the store, such as $CREDENTIALS_DIRECTORY/chancery-master-key; it
  // is then the current master key, and the store's own ones (if any) still open what they wrapped.
  static std::expected<KeyStore, std::error_code> open(Disk& disk, std::string folder, std::string credential = {});

  std::expected<std::vector<KeyInfo>, std::error_code> show() const;

  // A new master key; every key is wrapped again under it. The old one stays until `retire`. Safe to repeat after a
  // crash. Returns the new key's id. Not beside a running writer that may be adding a day key at this moment:
  // a key it adds under the old master is simply wrapped again by the next `rotate`, and `retire` refuses till then.
  std::expected<KeyId, std::error_code> rotate();

  // Overwrites and removes a master key that nothing is wrapped under any more.
  std::error_code retire(const KeyId& master);

  struct Key {
    KeyId id{};
    Secret secret;
  };
  // The key that seals the sheets of this class on this day (UTC), made when missing.
  std::expected<Key, std::error_code> day_key(std::uint16_t retention_class, std::chrono::sys_days day);
  // The key of a log, made when missing.
  std::expected<Key, std::error_code> log_key(std::string_view origin);
  // What opens a section of a key sheet; `missing` if it is not, or no longer, here.
  std::expected<Secret, std::error_code> day_key_of(std::uint16_t retention_class, std::uint32_t day,
                                                    const KeyId& id) const;

 private:
  KeyStore(Disk& disk, std::string folder, std::string credential);
  std::expected<Key, std::error_code> wrapped_key(KeyInfo wanted);
  std::error_code load_masters();
  std::expected<std::vector<KeyInfo>, std::error_code> list() const;

  // All below `mutex_` is guarded by it; behind a pointer, so that a store can be moved.
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  Disk* disk_;
  std::string folder_;
  std::string credential_;
  std::unique_ptr<MasterKeys> masters_;
};

}  // namespace chancery::journal

template <>
struct std::is_error_code_enum<chancery::journal::KeyStoreError> : std::true_type {};
