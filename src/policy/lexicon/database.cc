#include "policy/lexicon/database.h"

#include <cstdlib>
#include <fmt/format.h>
#include <hs/hs.h>
#include <new>
#include <openssl/evp.h>
#include <stdexcept>
#include <vector>

namespace chancery::policy {
namespace {

constexpr std::size_t kDigestSize = 32;

std::string sha256(Bytes octets) {
  std::string digest(kDigestSize, '\0');
  if (EVP_Digest(octets.data(), octets.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
                 nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
  return digest;
}

void check(hs_error_t error, const char* what) {
  if (error == HS_NOMEM) throw std::bad_alloc{};
  if (error != HS_SUCCESS) throw std::runtime_error(fmt::format("Hyperscan: {} failed ({})", what, error));
}

struct Target {
  Database::Hit hit;
  void* context;
};

int on_match(unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) {
  const auto& target = *static_cast<const Target*>(context);
  target.hit(target.context, id, static_cast<std::uint32_t>(end));
  return 0;
}

}  // namespace

Database::Scratch::~Scratch() { hs_free_scratch(scratch_); }
void Database::Free::operator()(hs_database* database) const { hs_free_database(database); }

Database Database::build(std::span<const std::string> literals) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> flags(literals.size(), 0), ids;
  for (const auto& literal : literals) {
    ids.push_back(static_cast<unsigned>(starts.size()));
    starts.push_back(literal.data());
    sizes.push_back(literal.size());
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  const auto result =
      hs_compile_lit_multi(starts.data(), flags.data(), ids.data(), sizes.data(),
                           static_cast<unsigned>(literals.size()), HS_MODE_BLOCK, nullptr, &database, &error);
  if (result != HS_SUCCESS) {
    const std::string why = error ? error->message : "unknown";
    hs_free_compile_error(error);
    throw std::runtime_error("Hyperscan cannot compile the lexicon: " + why);
  }
  return Database{database};
}

std::optional<Database> Database::restore(Bytes octets) {
  // Hyperscan checks a CRC of its own only in part; a digest over all of it comes first.
  if (octets.size() <= kDigestSize) return std::nullopt;
  const auto body = octets.substr(kDigestSize);
  if (sha256(body) != octets.substr(0, kDigestSize)) return std::nullopt;
  hs_database_t* database = nullptr;
  if (hs_deserialize_database(body.data(), body.size(), &database) != HS_SUCCESS) return std::nullopt;
  return Database{database};
}

Buffer Database::serialize() const {
  char* octets = nullptr;
  std::size_t size = 0;
  check(hs_serialize_database(database_.get(), &octets, &size), "hs_serialize_database");
  const std::unique_ptr<char, void (*)(void*)> owner{octets, std::free};
  const Bytes body{octets, size};
  auto out = sha256(body);
  out.append(body);
  return out;
}

std::string Database::library_version() {
  const std::string_view full = hs_version();  // "5.4.0 2021-01-26"
  return std::string{full.substr(0, full.find(' '))};
}

std::unique_ptr<Database::Scratch> Database::make_scratch() const {
  hs_scratch_t* scratch = nullptr;
  check(hs_alloc_scratch(database_.get(), &scratch), "hs_alloc_scratch");
  return std::unique_ptr<Scratch>{new Scratch(scratch)};
}

void Database::scan(std::string_view text, Scratch& scratch, Hit hit, void* context) const {
  Target target{hit, context};
  const auto result =
      hs_scan(database_.get(), text.data(), static_cast<unsigned>(text.size()), 0, scratch.scratch_, on_match, &target);
  // Anything but success means that a scratch was used twice at once or memory is damaged: a text that was not
  // scanned must not pass.
  if (result != HS_SUCCESS) std::abort();
}

}  // namespace chancery::policy
