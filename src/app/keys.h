#pragma once
// Opening the key store for commands that read message bodies.
#include <filesystem>

#include "journal/keystore.h"

namespace chancery::app {

// Takes the master key from the systemd credential "chancery-master-key" where there is one ($CREDENTIALS_DIRECTORY).
// Throws Failure with what to do.
journal::KeyStore open_keys(const std::filesystem::path& folder);

}  // namespace chancery::app
