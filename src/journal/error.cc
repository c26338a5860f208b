#include <string>

#include "journal/journal.h"
#include "journal/keystore.h"

namespace chancery::journal {
namespace {

class JournalCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "journal"; }
  std::string message(int value) const override {
    switch (static_cast<JournalError>(value)) {
      case JournalError::full:
        return "the journal's queue is full";
      case JournalError::failed:
        return "the journal failed and takes nothing more";
      case JournalError::closed:
        return "the journal is closed";
      case JournalError::corrupt:
        return "the log is damaged below what was durable";
      case JournalError::foreign:
        return "not a log of this format or origin";
      case JournalError::locked:
        return "another process writes this log";
      case JournalError::too_large:
        return "the record is larger than the limit";
      case JournalError::keys_missing:
        return "the key that seals this log is not in the key store";
    }
    return "unknown journal error";
  }
};

class KeyStoreCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "keystore"; }
  std::string message(int value) const override {
    switch (static_cast<KeyStoreError>(value)) {
      case KeyStoreError::missing:
        return "no such key, or no key store there";
      case KeyStoreError::exists:
        return "there is a key store already";
      case KeyStoreError::malformed:
        return "a key file is damaged or not of this format";
      case KeyStoreError::wrong_key:
        return "a wrapped key does not open under its master key";
      case KeyStoreError::in_use:
        return "the master key is still in use";
      case KeyStoreError::not_private:
        return "a key file is accessible to group or others (chmod 600 it)";
      case KeyStoreError::read_only:
        return "the master key comes from outside the store and is rotated there";
    }
    return "unknown key store error";
  }
};

}  // namespace

std::error_code make_error_code(JournalError error) {
  static const JournalCategory category;
  return {static_cast<int>(error), category};
}

std::error_code make_error_code(KeyStoreError error) {
  static const KeyStoreCategory category;
  return {static_cast<int>(error), category};
}

}  // namespace chancery::journal
