#include "archive/seal/key_file.h"

#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chancery::seal {
namespace {

constexpr std::size_t kKeyFileSizeMax = 8192;  // octets

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

std::string system_message() { return std::system_category().message(errno); }

// PEM's callback; a file without passphrase never asks.
int give_passphrase(char* out, int size, int, void* user) {
  const auto* passphrase = static_cast<const Buffer*>(user);
  if (passphrase == nullptr || passphrase->size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(out, passphrase->data(), passphrase->size());
  return static_cast<int>(passphrase->size());
}

std::expected<Buffer, std::string> read_private(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(fmt::format("{}: {}", file.string(), system_message()));
  struct stat status{};
  Buffer octets(kKeyFileSizeMax, '\0');
  const bool good = ::fstat(fd, &status) == 0;
  const ssize_t size = ::read(fd, octets.data(), octets.size());
  ::close(fd);
  if (!good || size < 0) return std::unexpected(fmt::format("{}: {}", file.string(), system_message()));
  if ((status.st_mode & 077) != 0) {
    OPENSSL_cleanse(octets.data(), octets.size());
    return std::unexpected(
        fmt::format("{}: others than the owner may read this private key; chmod 600 it", file.string()));
  }
  octets.resize(static_cast<std::size_t>(size));
  return octets;
}

std::shared_ptr<EVP_PKEY> parse_pem(const Buffer& octets, const std::optional<Buffer>& passphrase) {
  const Bio bio{BIO_new_mem_buf(octets.data(), static_cast<int>(octets.size())), BIO_free_all};
  void* user = passphrase ? const_cast<Buffer*>(&*passphrase) : nullptr;
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, user), EVP_PKEY_free};
}

std::expected<Buffer, std::string> to_pem(EVP_PKEY* key, const std::optional<Buffer>& passphrase) {
  const Bio bio{BIO_new(BIO_s_mem()), BIO_free_all};
  const EVP_CIPHER* cipher = passphrase ? EVP_aes_256_cbc() : nullptr;
  void* user = passphrase ? const_cast<Buffer*>(&*passphrase) : nullptr;
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, nullptr, 0, passphrase ? give_passphrase : nullptr, user) !=
      1)
    return std::unexpected("OpenSSL could not encode the key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Buffer{data, static_cast<std::size_t>(size)};
}

std::error_code write_new(const std::filesystem::path& file, Bytes octets) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return {errno, std::system_category()};
  const bool good =
      ::write(fd, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()) && ::fsync(fd) == 0;
  const std::error_code error{good ? 0 : errno, std::system_category()};
  ::close(fd);
  return error;
}

void sync_folder_of(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

std::expected<merkle::PrivateKey, std::string> load_private_key(const std::filesystem::path& file,
                                                                const std::optional<Buffer>& passphrase) {
  auto octets = read_private(file);
  if (!octets) return std::unexpected(octets.error());
  std::expected<merkle::PrivateKey, std::error_code> key = std::unexpected(merkle::NoteError::bad_key);
  if (octets->starts_with("PRIVATE+KEY+")) {
    const Bytes line = Bytes{*octets}.substr(0, octets->find('\n'));
    if (auto parsed = merkle::SigningKey::parse(line)) key = std::move(parsed->key);
  } else {
    key = merkle::PrivateKey::adopt(parse_pem(*octets, passphrase));
  }
  OPENSSL_cleanse(octets->data(), octets->size());
  if (!key)
    return std::unexpected(
        fmt::format("{}: not an Ed25519 private key{}. `openssl genpkey -algorithm ed25519` makes one.", file.string(),
                    passphrase ? ", or not this passphrase" : ""));
  return std::move(*key);
}

std::expected<merkle::PrivateKey, std::string> create_private_key(const std::filesystem::path& file,
                                                                  const std::optional<Buffer>& passphrase) {
  std::shared_ptr<EVP_PKEY> made{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free};
  auto key = merkle::PrivateKey::adopt(made);
  if (!key) return std::unexpected("OpenSSL could not make a key");
  auto pem = to_pem(made.get(), passphrase);
  if (!pem) return std::unexpected(pem.error());
  const auto error = write_new(file, *pem);
  OPENSSL_cleanse(pem->data(), pem->size());
  if (error == std::errc::file_exists)
    return std::unexpected(fmt::format("{}: there is a key already, and it is never overwritten", file.string()));
  if (error) return std::unexpected(fmt::format("{}: {}", file.string(), error.message()));
  return std::move(*key);
}

std::filesystem::path next_key_file(const std::filesystem::path& file) {
  std::filesystem::path next = file;
  return next += ".next";
}

std::expected<std::vector<merkle::PrivateKey>, std::string> load_private_keys(const std::filesystem::path& file,
                                                                              const std::optional<Buffer>& passphrase) {
  std::vector<merkle::PrivateKey> keys;
  auto current = load_private_key(file, passphrase);
  if (!current) return std::unexpected(current.error());
  keys.push_back(*std::move(current));
  std::error_code error;
  if (!std::filesystem::exists(next_key_file(file), error)) return keys;
  auto next = load_private_key(next_key_file(file), passphrase);
  if (!next) return std::unexpected(next.error());
  keys.push_back(*std::move(next));
  return keys;
}

std::expected<merkle::PrivateKey, std::string> create_next_key(const std::filesystem::path& file,
                                                               const std::optional<Buffer>& passphrase) {
  std::error_code error;
  if (std::filesystem::exists(next_key_file(file), error))
    return std::unexpected(
        fmt::format("{}: there is a next key already. Retire the old one first: `chancery keys retire "
                    "--signer-key {} -d ARCHIVE`",
                    next_key_file(file).string(), file.string()));
  const auto current = load_private_key(file, passphrase);
  if (!current) return std::unexpected(current.error());
  auto made = create_private_key(next_key_file(file), passphrase);
  if (made) sync_folder_of(file);
  return made;
}

std::expected<void, std::string> retire_private_key(const std::filesystem::path& file) {
  const auto fail = [&] { return std::unexpected(fmt::format("{}: {}", file.string(), system_message())); };
  const int old = ::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (old < 0) return fail();
  struct stat status{};
  const bool good = ::fstat(old, &status) == 0 && ::rename(next_key_file(file).c_str(), file.c_str()) == 0;
  if (!good) {
    const auto error = fail();
    ::close(old);
    return error;
  }
  sync_folder_of(file);
  // Only now: whenever this stops, one of the two is whole under its name.
  const Buffer zeros(static_cast<std::size_t>(status.st_size), '\0');
  (void)!::pwrite(old, zeros.data(), zeros.size(), 0);
  ::fsync(old);
  ::close(old);
  return {};
}

}  // namespace chancery::seal
