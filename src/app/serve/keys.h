#pragma once
// Opening the key store, for the gateway and for commands that read message bodies.
#include <filesystem>
#include <string>

#include "journal/keystore.h"

namespace chancery::app {

// The systemd credential "chancery-master-key", where there is one ($CREDENTIALS_DIRECTORY); else "".
std::string credential_file();

// Takes the master key from the systemd credential "chancery-master-key" where there is one ($CREDENTIALS_DIRECTORY).
// Throws Failure with what to do.
journal::KeyStore open_keys(const std::filesystem::path& folder);

}  // namespace chancery::app
