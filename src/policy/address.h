#pragma once
// Who is meant: patterns of addresses, as rules write them.
//
//   alice@im.test        this address, on any device
//   im.test              this address or nick, or any address of this domain
//   *.im.test  *@im.test  `*` is any characters; without `@` the pattern is tried on the address and on its domain
//   alice@im.test/phone  with `/`: this device (XMPP resource, room occupant)
//   bad*!*@*.example     with `!`: an IRC mask, nick!user@host
//   group:traders        the patterns under `groups: traders`; group:internal and group:external are each other's
//                        opposite, once `groups: internal` says who belongs to the organisation
//
// Letters are compared case-folded; for IRC, also as RFC 1459 §2.2 wants it: {}|~ are the lower case of []\^.
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "policy/text.h"

namespace chancery::policy {

// Which comparison an address calls for.
enum class Casemap : std::uint8_t { unicode = 0, irc = 1 };
Casemap casemap_of(std::string_view protocol);

// An address ready to be compared. Short ones need no allocation.
class Address {
 public:
  Address(std::string_view raw, Casemap casemap);
  std::string_view full() const { return full_; }      // folded
  std::string_view bare() const { return bare_; }      // without a resource
  std::string_view domain() const { return domain_; }  // behind the last @; empty: none
  Casemap casemap() const { return casemap_; }
  bool empty() const { return full_.empty(); }
  Address(const Address&) = delete;
  Address& operator=(const Address&) = delete;

 private:
  std::array<char, 256> inline_;
  std::string long_;
  std::string_view full_, bare_, domain_;
  Casemap casemap_;
};

using Groups = std::map<std::string, std::vector<Written>>;

// A compiled list of patterns.
class AddressSet {
 public:
  AddressSet() = default;
  // Throws yaml::Error at the line of a pattern that is malformed, or names a group that is not there.
  AddressSet(const std::vector<Written>& patterns, const Groups& groups, std::string_view file);

  bool empty() const { return !listed_; }  // no pattern was given: the question is left open
  bool matches(const Address& address) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  struct Table {
    std::unordered_set<std::string, Hash, std::equal_to<>> exact;
    std::vector<std::string> globs;
    bool matches(const Address& address) const;
  };
  void add(const Written& pattern, const Groups& groups, std::string_view file, int depth);

  std::array<Table, 2> tables_;     // by Casemap
  std::vector<AddressSet> not_in_;  // group:external
  bool listed_ = false;
};

// `*` stands for any characters.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace chancery::policy
