#pragma once
// The loopback ports of everything `chancery up` runs: the usual ones where they are free, else any; remembered in the
// folder, so that a client set up once still finds them after a restart.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace chancery::app::up {

class Ports {
 public:
  explicit Ports(std::filesystem::path file);  // reads what is there; Failure on a damaged file

  // The remembered port of `name`, or `preferred` if it is free, or any free one. Failure when a remembered port is now
  // taken by somebody else.
  std::uint16_t take(const std::string& name, std::uint16_t preferred);
  void save() const;

 private:
  std::filesystem::path file_;
  std::map<std::string, std::uint16_t> ports_;
};

}  // namespace chancery::app::up
