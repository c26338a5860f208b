#include "app/watch/hosts_input.h"

#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <system_error>

#include "app/context.h"

namespace chancery::app::watch {

sensor::Hosts load_hosts(std::span<const std::filesystem::path> paths) {
  sensor::Hosts hosts = sensor::Hosts::with_standard();
  for (const auto& path : paths) {
    std::ifstream file{path, std::ios::binary};
    if (!file)
      throw Failure(fmt::format("{} cannot be opened: {}", path.string(), std::generic_category().message(errno)));
    std::string text(sensor::Hosts::kFileSizeMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > sensor::Hosts::kFileSizeMax)
      throw Failure(fmt::format("{} is too large for a list of hosts", path.string()));
    if (const auto wrong = hosts.add(text)) throw Failure(fmt::format("{}, {}", path.string(), *wrong), Exit::wrong);
  }
  return hosts;
}

std::vector<sensor::Endpoint> parse_gateways(std::span<const std::string> texts) {
  std::vector<sensor::Endpoint> gateways;
  for (const auto& text : texts) {
    const auto endpoint = sensor::Endpoint::parse(text);
    if (!endpoint)
      throw Failure(fmt::format("--gateway {}: expected ADDRESS or ADDRESS:PORT, like 192.0.2.1:5222", text));
    gateways.push_back(*endpoint);
  }
  return gateways;
}

}  // namespace chancery::app::watch
