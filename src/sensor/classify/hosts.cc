#include "sensor/classify/hosts.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <system_error>

#include "sensor/meta/tls.h"

namespace chancery::sensor {

std::string_view standard_hosts_text();  // generated from share/sensor/hosts.tsv

namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// The text up to the next tab; `line` moves behind it.
std::string_view next_column(std::string_view& line) {
  const auto tab = line.find('\t');
  const std::string_view column = trim(line.substr(0, tab));
  line = tab == std::string_view::npos ? std::string_view{} : line.substr(tab + 1);
  return column;
}

bool matches(const Address& address, const Address& network, unsigned bits) {
  for (unsigned i = 0; i < bits; i += 8) {
    const unsigned take = std::min(8U, bits - i);
    const auto mask = static_cast<std::uint8_t>(0xff00U >> take);
    if (((address.octets[i / 8] ^ network.octets[i / 8]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace

std::optional<Category> parse_category(std::string_view word) {
  for (const Category category : {Category::im, Category::p2p, Category::voip, Category::web_im, Category::other})
    if (word == to_string(category)) return category;
  return std::nullopt;
}

const Hosts& Hosts::standard() {
  static const Hosts hosts = with_standard();
  return hosts;
}

Hosts Hosts::with_standard() {
  Hosts hosts;
  (void)hosts.add(standard_hosts_text());  // its own test reads it without a fault
  return hosts;
}

std::optional<std::string> Hosts::add(std::string_view text) {
  if (text.size() > kFileSizeMax) return fmt::format("the file is larger than {} octets", kFileSizeMax);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (auto fault = add_line(line)) return fmt::format("line {}: {}", number, *fault);
  }
  return std::nullopt;
}

std::optional<std::string> Hosts::add_line(std::string_view line) {
  line = line.substr(0, line.find('#'));
  if (trim(line).empty()) return std::nullopt;
  std::string_view pattern = next_column(line);
  const std::string_view application = next_column(line), word = next_column(line);
  if (application.empty())
    return fmt::format("'{}' has no application: pattern, application, category, by tabs", pattern);
  const std::optional<Category> category = application == "-" ? Category::other : parse_category(word);
  if (!category) return fmt::format("'{}' is not a category (im, p2p, voip, web-im, other)", word);

  const auto rule = static_cast<std::uint32_t>(rules_.size());
  if (pattern.find('/') != std::string_view::npos) {
    if (!add_network(pattern, rule)) return fmt::format("'{}' is not a network such as 192.0.2.0/24", pattern);
  } else if (const auto star = pattern.find('*'); star != std::string_view::npos) {
    const std::string behind = normal_host(pattern.substr(std::min(star + 2, pattern.size())));
    const std::string begin = normal_host(pattern.substr(0, star));
    const bool first_label = pattern.substr(0, star).find('.') == std::string_view::npos;
    if (begin.empty() || behind.empty() || pattern.substr(star + 1, 1) != "." || !first_label ||
        behind.find('*') != std::string::npos)
      return fmt::format("'{}': a star stands at the end of the first label only, as in mqtt*.example.com", pattern);
    prefixes_[behind].push_back({begin, rule});
  } else {
    const bool exactly = pattern.starts_with('=');
    std::string name = normal_host(exactly ? pattern.substr(1) : pattern);
    if (name.empty()) return fmt::format("'{}' is not a host name", pattern);
    (exactly ? exact_ : below_)[std::move(name)] = rule;
  }
  rules_.push_back({std::string{application}, *category});
  return std::nullopt;
}

bool Hosts::add_network(std::string_view pattern, std::uint32_t rule) {
  const auto slash = pattern.find('/');
  const std::string text{pattern.substr(0, slash)};
  const std::string_view size = pattern.substr(slash + 1);
  Network network;
  network.rule = rule;
  const auto [end, fault] = std::from_chars(size.data(), size.data() + size.size(), network.bits);
  if (fault != std::errc{} || end != size.data() + size.size()) return false;
  std::array<char, 16> octets{};
  if (inet_pton(AF_INET, text.c_str(), octets.data()) == 1) {
    if (network.bits > 32) return false;
    network.address = Address::v4({octets.data(), 4});
    network.bits += 96;
  } else if (inet_pton(AF_INET6, text.c_str(), octets.data()) != 1 || network.bits > 128) {
    return false;
  } else {
    network.address = Address::v6({octets.data(), 16});
  }
  networks_.push_back(network);
  return true;
}

const HostRule* Hosts::find(std::string_view host) const {
  const auto rule = [&](std::uint32_t index) -> const HostRule* {
    return rules_[index].application == "-" ? nullptr : &rules_[index];
  };
  if (host.empty()) return nullptr;
  if (const auto at = exact_.find(host); at != exact_.end()) return rule(at->second);
  for (std::string_view suffix = host;;) {
    if (const auto at = below_.find(suffix); at != below_.end()) return rule(at->second);
    const auto dot = suffix.find('.');
    if (dot == std::string_view::npos) return nullptr;
    const std::string_view label = suffix.substr(0, dot);
    suffix.remove_prefix(dot + 1);
    if (label.data() != host.data()) continue;
    if (const auto at = prefixes_.find(suffix); at != prefixes_.end())
      for (auto prefix = at->second.rbegin(); prefix != at->second.rend(); ++prefix)
        if (label.starts_with(prefix->begin)) return rule(prefix->rule);
  }
}

const HostRule* Hosts::find(const Address& address) const {
  const Network* best = nullptr;
  for (const Network& network : networks_)
    if (matches(address, network.address, network.bits) && (best == nullptr || network.bits >= best->bits))
      best = &network;
  return best == nullptr || rules_[best->rule].application == "-" ? nullptr : &rules_[best->rule];
}

}  // namespace chancery::sensor
