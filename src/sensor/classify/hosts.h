#pragma once
// Which application a server's name belongs to, from a plain file that an administrator extends
// (docs/guide/sensor-classification.md). A line: pattern, application, category, separated by tabs; '#' begins a
// comment.
//   whatsapp.net        the name and all below it
//   =slack.com          exactly this name
//   mqtt*.facebook.com  the first label begins so; only the first, and only at its end
//   91.108.4.0/22       a network whose registered owner runs nothing else (addresses are the weakest evidence)
// The longest match wins, a later file wins over an earlier one, and the application "-" takes a name out again.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sensor/classify/classifier.h"

namespace chancery::sensor {

struct HostRule {
  std::string application;  // "-": expressly not an application of interest
  Category category = Category::other;
};

class Hosts {
 public:
  static constexpr std::size_t kFileSizeMax = 16 * 1024 * 1024;

  // The list that this build carries (share/sensor/hosts.tsv).
  static const Hosts& standard();
  static Hosts with_standard();  // a copy, to add a file to

  // Nothing: all lines were read. Else what is wrong, with the line: "line 7: 'chat' is not a category (im, …)".
  // Lines before the faulty one have been added.
  std::optional<std::string> add(std::string_view text);

  // Null: not listed, or taken out. Valid as long as this object, until `add`.
  const HostRule* find(std::string_view host) const;  // a normal host name (meta/tls.h)
  const HostRule* find(const Address& address) const;

  std::size_t size() const { return rules_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Index = std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>>;
  struct Prefix {
    std::string begin;  // of the first label
    std::uint32_t rule = 0;
  };
  struct Network {
    Address address;
    unsigned bits = 0;  // of 128
    std::uint32_t rule = 0;
  };

  std::optional<std::string> add_line(std::string_view line);
  bool add_network(std::string_view pattern, std::uint32_t rule);

  std::vector<HostRule> rules_;
  Index exact_, below_;
  std::unordered_map<std::string, std::vector<Prefix>, Hash, std::equal_to<>> prefixes_;  // by what follows the label
  std::vector<Network> networks_;                                                         // few: looked through
};

std::optional<Category> parse_category(std::string_view word);

}  // namespace chancery::sensor
