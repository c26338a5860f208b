#include "journal/keystore.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <map>

#include "core/encoding.h"
#include "journal/crypto.h"
#include "journal/key_files.h"
#include "journal/sheet.h"

namespace chancery::journal {
namespace {

constexpr std::uint64_t kKeyFileSizeMax = 4096;

std::unexpected<std::error_code> fail(KeyStoreError error) { return std::unexpected(make_error_code(error)); }

std::error_code missing_if_absent(std::error_code error) {
  return error == std::errc::no_such_file_or_directory ? make_error_code(KeyStoreError::missing) : error;
}

// A file of the store, only if nobody else may read it.
std::expected<Buffer, std::error_code> read_private(Disk& disk, const std::string& path) {
  const auto is_private = disk.is_private(path);
  if (!is_private) return std::unexpected(missing_if_absent(is_private.error()));
  if (!*is_private) return fail(KeyStoreError::not_private);
  return read_file(disk, path, kKeyFileSizeMax);
}

// The numbers of "master-<8 digits>.key", ascending.
std::expected<std::vector<std::uint32_t>, std::error_code> master_numbers(Disk& disk, const std::string& folder) {
  const auto names = disk.list(folder);
  if (!names) return std::unexpected(names.error());
  std::vector<std::uint32_t> numbers;
  for (const std::string& name : *names)
    if (const auto number = master_number(name)) numbers.push_back(*number);
  return numbers;
}

class FileMasters final : public MasterKeys {
 public:
  KeyId add(const Secret& key) {
    current_ = key_id(crypto_, key);
    keys_.insert_or_assign(current_, key);
    return current_;
  }

  KeyId current() const override { return current_; }

  std::expected<Buffer, std::error_code> wrap(const Secret& secret, Bytes associated) override {
    return seal_with_random_nonce(crypto_, keys_.at(current_), associated, secret.bytes());
  }

  std::expected<Secret, std::error_code> unwrap(const KeyId& master, Bytes wrapped, Bytes associated) override {
    const auto key = keys_.find(master);
    if (key == keys_.end()) return fail(KeyStoreError::missing);
    Buffer plain;
    if (!open_with_nonce(crypto_, key->second, associated, wrapped, plain) || plain.size() != Secret::kSize)
      return fail(KeyStoreError::wrong_key);
    Secret secret;
    std::memcpy(secret.data(), plain.data(), Secret::kSize);
    wipe(plain);
    return secret;
  }

 private:
  Crypto crypto_;
  std::map<KeyId, Secret> keys_;
  KeyId current_{};
};

std::error_code write_master(Disk& disk, const std::string& folder, std::uint32_t number, const Secret& key) {
  Buffer text = master_text(key);
  const auto error = write_file_durably(disk, folder + "/" + master_name(number), text);
  wipe(text);
  return error;
}

std::expected<Secret, std::error_code> read_master(Disk& disk, const std::string& path) {
  auto text = read_private(disk, path);
  if (!text) return std::unexpected(text.error());
  auto key = parse_master(*text);
  wipe(*text);
  if (!key) return fail(KeyStoreError::malformed);
  return *key;
}

std::expected<Secret, std::error_code> unwrap(MasterKeys& masters, const WrappedKey& key) {
  auto secret = masters.unwrap(key.info.master, key.sealed, associated_text(key.info));
  if (!secret) return secret;
  Crypto crypto;
  if (key_id(crypto, *secret) != key.info.id) return fail(KeyStoreError::wrong_key);
  return secret;
}

std::error_code write_wrapped(Disk& disk, MasterKeys& masters, KeyInfo info, const Secret& secret) {
  info.master = masters.current();
  const auto sealed = masters.wrap(secret, associated_text(info));
  if (!sealed) return sealed.error();
  return write_file_durably(disk, info.path, wrapped_text({info, *sealed}));
}

std::expected<WrappedKey, std::error_code> read_wrapped(Disk& disk, const std::string& path) {
  const auto text = read_private(disk, path);
  if (!text) return std::unexpected(text.error());
  auto key = parse_wrapped(*text);
  if (!key) return fail(KeyStoreError::malformed);
  key->info.path = path;
  return *std::move(key);
}

// The files of every wrapped key.
std::expected<std::vector<std::string>, std::error_code> wrapped_paths(Disk& disk, const std::string& folder) {
  std::vector<std::string> paths;
  for (const std::string& kind : {folder + "/day", folder + "/log"}) {
    const auto names = disk.list(kind);
    if (!names) return std::unexpected(names.error());
    for (const std::string& name : *names)
      if (name.ends_with(".key")) paths.push_back(kind + "/" + name);
  }
  return paths;
}

}  // namespace

std::error_code KeyStore::create(Disk& disk, const std::string& folder) {
  if (const auto error = make_directories(disk, folder, "day")) return error;
  if (const auto error = make_directories(disk, folder, "log")) return error;
  const auto numbers = master_numbers(disk, folder);
  if (!numbers) return numbers.error();
  if (!numbers->empty()) return KeyStoreError::exists;
  return write_master(disk, folder, 1, random_secret());
}

KeyStore::KeyStore(Disk& disk, std::string folder, std::string credential)
    : disk_(&disk), folder_(std::move(folder)), credential_(std::move(credential)) {}

std::expected<KeyStore, std::error_code> KeyStore::open(Disk& disk, std::string folder, std::string credential) {
  KeyStore store(disk, std::move(folder), std::move(credential));
  if (const auto error = store.load_masters()) return std::unexpected(error);
  return store;
}

std::error_code KeyStore::load_masters() {
  const auto there = disk_->exists(folder_);
  if (!there) return there.error();
  if (!*there && credential_.empty()) return KeyStoreError::missing;
  if (!credential_.empty())  // then the folder need not have been made by `create`
    for (const char* kind : {"day", "log"})
      if (const auto error = make_directories(*disk_, folder_, kind)) return error;
  const auto numbers = master_numbers(*disk_, folder_);
  if (!numbers) return numbers.error();
  if (numbers->empty() && credential_.empty()) return KeyStoreError::missing;
  auto masters = std::make_unique<FileMasters>();
  for (const std::uint32_t number : *numbers) {
    const auto key = read_master(*disk_, folder_ + "/" + master_name(number));
    if (!key) return key.error();
    masters->add(*key);
  }
  if (!credential_.empty()) {
    const auto key = read_master(*disk_, credential_);
    if (!key) return key.error();
    masters->add(*key);
  }
  masters_ = std::move(masters);
  return {};
}

std::expected<std::vector<KeyInfo>, std::error_code> KeyStore::show() const {
  const std::lock_guard guard(*mutex_);
  return list();
}

std::expected<std::vector<KeyInfo>, std::error_code> KeyStore::list() const {
  std::vector<KeyInfo> infos;
  const auto add_master = [&](const std::string& path) -> std::error_code {
    const auto key = read_master(*disk_, path);
    if (!key) return key.error();
    Crypto crypto;
    KeyInfo info{.id = key_id(crypto, *key), .path = path};
    info.current = info.id == masters_->current();
    infos.push_back(info);
    return {};
  };
  const auto numbers = master_numbers(*disk_, folder_);
  if (!numbers) return std::unexpected(numbers.error());
  for (const std::uint32_t number : *numbers)
    if (const auto error = add_master(folder_ + "/" + master_name(number))) return std::unexpected(error);
  if (!credential_.empty())
    if (const auto error = add_master(credential_)) return std::unexpected(error);
  const auto paths = wrapped_paths(*disk_, folder_);
  if (!paths) return std::unexpected(paths.error());
  for (const std::string& path : *paths) {
    auto key = read_wrapped(*disk_, path);
    if (!key) return std::unexpected(key.error());
    infos.push_back(std::move(key->info));
  }
  return infos;
}

std::expected<KeyId, std::error_code> KeyStore::rotate() {
  const std::lock_guard guard(*mutex_);
  if (!credential_.empty()) return fail(KeyStoreError::read_only);
  const auto numbers = master_numbers(*disk_, folder_);
  if (!numbers) return std::unexpected(numbers.error());
  const std::uint32_t next = numbers->empty() ? 1 : numbers->back() + 1;
  if (const auto error = write_master(*disk_, folder_, next, random_secret())) return std::unexpected(error);
  if (const auto error = load_masters()) return std::unexpected(error);
  const auto paths = wrapped_paths(*disk_, folder_);
  if (!paths) return std::unexpected(paths.error());
  for (const std::string& path : *paths) {
    const auto key = read_wrapped(*disk_, path);
    if (!key) return std::unexpected(key.error());
    const auto secret = unwrap(*masters_, *key);
    if (!secret) return std::unexpected(secret.error());
    if (const auto error = write_wrapped(*disk_, *masters_, key->info, *secret)) return std::unexpected(error);
  }
  return masters_->current();
}

std::error_code KeyStore::retire(const KeyId& master) {
  const std::lock_guard guard(*mutex_);
  const auto infos = list();
  if (!infos) return infos.error();
  const auto found = std::ranges::find_if(
      *infos, [&](const KeyInfo& info) { return info.kind == KeyInfo::Kind::master && info.id == master; });
  if (found == infos->end()) return KeyStoreError::missing;
  if (found->path == credential_) return KeyStoreError::read_only;
  const bool is_used = std::ranges::any_of(
      *infos, [&](const KeyInfo& info) { return info.kind != KeyInfo::Kind::master && info.master == master; });
  if (found->current || is_used) return KeyStoreError::in_use;
  {
    // Flash and copy-on-write may keep the old octets all the same; docs/formats/keys.md says so.
    auto file = disk_->open(found->path, Disk::Mode::update);
    if (!file) return file.error();
    if (const auto error = (*file)->write_at(0, Buffer(master_text({}).size(), '0'))) return error;
    if (const auto error = (*file)->sync()) return error;
  }
  if (const auto error = disk_->remove(found->path)) return error;
  if (const auto error = disk_->sync_directory(folder_)) return error;
  return load_masters();
}

std::expected<KeyStore::Key, std::error_code> KeyStore::wrapped_key(KeyInfo wanted) {
  const std::lock_guard guard(*mutex_);
  const auto there = disk_->exists(wanted.path);
  if (!there) return std::unexpected(there.error());
  if (*there) {
    // Whoever made it may have died before its name was on stable storage, and something will now be sealed with it.
    const std::string folder = wanted.path.substr(0, wanted.path.rfind('/'));
    if (const auto error = disk_->sync_directory(folder)) return std::unexpected(error);
    const auto key = read_wrapped(*disk_, wanted.path);
    if (!key) return std::unexpected(key.error());
    if (key->info.retention_class != wanted.retention_class || key->info.day != wanted.day ||
        key->info.origin != wanted.origin)
      return fail(KeyStoreError::malformed);
    auto secret = unwrap(*masters_, *key);
    if (secret) return Key{key->info.id, *secret};
    if (secret.error() != make_error_code(KeyStoreError::missing)) return std::unexpected(secret.error());
    // Rotated since this object read the masters.
    if (const auto error = load_masters()) return std::unexpected(error);
    secret = unwrap(*masters_, *key);
    if (!secret) return std::unexpected(secret.error());
    return Key{key->info.id, *secret};
  }
  Key key{{}, random_secret()};
  Crypto crypto;
  wanted.id = key.id = key_id(crypto, key.secret);
  if (const auto error = write_wrapped(*disk_, *masters_, wanted, key.secret)) return std::unexpected(error);
  return key;
}

std::expected<KeyStore::Key, std::error_code> KeyStore::day_key(std::uint16_t retention_class,
                                                                std::chrono::sys_days day) {
  KeyInfo wanted{.kind = KeyInfo::Kind::day, .retention_class = retention_class, .day = day_number(day)};
  wanted.path = folder_ + "/day/" + day_file_name(wanted.day, retention_class);
  return wrapped_key(std::move(wanted));
}

std::expected<KeyStore::Key, std::error_code> KeyStore::log_key(std::string_view origin) {
  Crypto crypto;
  KeyInfo wanted{.kind = KeyInfo::Kind::log, .origin = std::string(origin)};
  wanted.path = folder_ + "/log/" + log_file_name(crypto, origin);
  return wrapped_key(std::move(wanted));
}

std::expected<Secret, std::error_code> KeyStore::day_key_of(std::uint16_t retention_class, std::uint32_t day,
                                                            const KeyId& id) const {
  const std::lock_guard guard(*mutex_);
  const std::string path = folder_ + "/day/" + day_file_name(day, retention_class);
  const auto key = read_wrapped(*disk_, path);
  if (!key) return std::unexpected(key.error());
  if (key->info.id != id) return fail(KeyStoreError::missing);
  return unwrap(*masters_, *key);
}

}  // namespace chancery::journal
