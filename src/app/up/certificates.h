#pragma once
// A private certificate authority and certificates under it (EC P-256), for the loopback world of `chancery up`.
#include <filesystem>
#include <string>
#include <vector>

namespace chancery::app::up {

// Makes ca.pem, ca.key and <name>.pem, <name>.key (PEM, keys 0600) in `folder` for each of `names`, all valid for the
// DNS names of the sample domain, localhost and 127.0.0.1, for ten years; keeps what is there and still valid for a
// month. Failure when a file cannot be written.
void make_certificates(const std::filesystem::path& folder, const std::vector<std::string>& names,
                       const std::string& domain);

}  // namespace chancery::app::up
