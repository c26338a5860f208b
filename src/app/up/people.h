#pragma once
// The sample people: names, and passwords made at random once and kept in people.txt (mode 0600).
#include <filesystem>
#include <string>
#include <vector>

namespace chancery::app::up {

struct Person {
  std::string name;
  std::string password;
};

// Reads the file, or makes it. Failure when it is damaged.
std::vector<Person> sample_people(const std::filesystem::path& file);

}  // namespace chancery::app::up
