#pragma once
// The ordinary servers behind the gateway: Prosody, and ngircd where it is installed. Only 127.0.0.1, only this folder.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/up/child.h"
#include "app/up/folder.h"
#include "app/up/people.h"

namespace chancery::app::up {

inline constexpr const char* kDomain = "localhost";

// Writes the configuration, registers the people, starts it and waits until it answers on `port` (STARTTLS).
std::unique_ptr<Child> start_prosody(const Folder& folder, std::uint16_t port, const std::vector<Person>& people);

// Starts ngircd (TLS on `port`); null where it is not installed.
std::unique_ptr<Child> start_ngircd(const Folder& folder, std::uint16_t port);

}  // namespace chancery::app::up
