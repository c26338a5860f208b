#include "app/up/people.h"

#include <array>
#include <openssl/rand.h>
#include <sstream>
#include <string_view>

#include "app/context.h"
#include "app/up/folder.h"
#include "core/encoding.h"

namespace chancery::app::up {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"alice", "bob", "carol"};
constexpr std::size_t kPasswordOctets = 9;  // of randomness

std::string new_password() {
  std::array<unsigned char, kPasswordOctets> octets{};
  if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) throw Failure("the system gives no randomness");
  return to_hex({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

}  // namespace

std::vector<Person> sample_people(const std::filesystem::path& file) {
  std::vector<Person> people;
  std::istringstream lines{read_file(file)};
  for (Person person; lines >> person.name;) {
    if (!(lines >> person.password))
      throw Failure(file.string() + ": '" + person.name + "' has no password; each line is NAME PASSWORD");
    people.push_back(person);
  }
  if (!people.empty()) return people;
  std::string text;
  for (const auto name : kNames) {
    people.push_back({std::string{name}, new_password()});
    text += people.back().name + " " + people.back().password + "\n";
  }
  write_file(file, text, kPrivateFile);
  return people;
}

}  // namespace chancery::app::up
