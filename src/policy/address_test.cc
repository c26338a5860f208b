#include "policy/address.h"

#include <gtest/gtest.h>

namespace chancery::policy {
namespace {

bool matches(std::string pattern, std::string_view address, Casemap casemap = Casemap::unicode,
             const Groups& groups = {}) {
  const AddressSet set({{std::move(pattern), 7}}, groups, "p.yaml");
  return set.matches(Address{address, casemap});
}

TEST(AddressPattern, AnAddressMeansEveryDevice) {
  EXPECT_TRUE(matches("alice@im.test", "alice@im.test"));
  EXPECT_TRUE(matches("alice@im.test", "Alice@IM.test/phone"));
  EXPECT_FALSE(matches("alice@im.test", "malice@im.test"));
  EXPECT_FALSE(matches("alice@im.test", "alice@im.test.evil"));
  EXPECT_TRUE(matches("alice@im.test/phone", "alice@im.test/phone"));
  EXPECT_FALSE(matches("alice@im.test/phone", "alice@im.test/desk"));
}

TEST(AddressPattern, ADomainMeansEveryAddressInItAndItself) {
  EXPECT_TRUE(matches("im.test", "alice@im.test/x"));
  EXPECT_TRUE(matches("im.test", "im.test"));
  EXPECT_FALSE(matches("im.test", "alice@chat.im.test"));
  EXPECT_FALSE(matches("im.test", "im.test@evil.example"));
}

TEST(AddressPattern, StarsAreAnyCharacters) {
  EXPECT_TRUE(matches("*.im.test", "a@chat.im.test"));
  EXPECT_FALSE(matches("*.im.test", "a@im.test"));
  EXPECT_TRUE(matches("*@im.test", "a@im.test"));
  EXPECT_FALSE(matches("*@im.test", "im.test"));
  EXPECT_TRUE(matches("a*e@*", "alice@x"));
  EXPECT_TRUE(matches("*", "anybody"));
  EXPECT_FALSE(matches("*@im.test", "a@im.test@evil"));
}

TEST(AddressPattern, OtherAlphabetsAreFolded) {
  EXPECT_TRUE(matches("müller@im.test", "MÜLLER@im.test"));
  EXPECT_TRUE(matches("straße@im.test", "STRASSE@im.test"));
}

TEST(AddressPattern, IrcHasItsOwnCasesAndMasks) {
  EXPECT_TRUE(matches("Bad[x]", "bad{X}", Casemap::irc));
  EXPECT_FALSE(matches("Bad[x]", "bad{X}"));
  EXPECT_TRUE(matches("*!*@*.evil.example", "nick!user@host.evil.example", Casemap::irc));
  EXPECT_TRUE(matches("nick/matrix", "nick/matrix", Casemap::irc));
  EXPECT_FALSE(matches("nick", "nick/matrix", Casemap::irc));
}

TEST(AddressPattern, GroupsHoldPatternsAndGroups) {
  const Groups groups = {{"a", {{"x@y", 1}, {"group:b", 2}}}, {"b", {{"*.z", 3}}}, {"loop", {{"group:loop", 4}}}};
  EXPECT_TRUE(matches("group:a", "x@y", Casemap::unicode, groups));
  EXPECT_TRUE(matches("group:a", "q@w.z", Casemap::unicode, groups));
  EXPECT_FALSE(matches("group:b", "x@y", Casemap::unicode, groups));
  EXPECT_THROW(matches("group:loop", "x", Casemap::unicode, groups), yaml::Error);
  EXPECT_THROW(matches("group:c", "x", Casemap::unicode, groups), yaml::Error);
}

TEST(AddressPattern, ExternalIsWhoeverIsNotInternal) {
  const Groups groups = {{"internal", {{"im.test", 1}}}};
  EXPECT_TRUE(matches("group:external", "eve@x.test", Casemap::unicode, groups));
  EXPECT_FALSE(matches("group:external", "bob@im.test", Casemap::unicode, groups));
  EXPECT_FALSE(matches("group:external", "", Casemap::unicode, groups));
  EXPECT_THROW(matches("group:external", "x"), yaml::Error);
}

TEST(AddressPattern, LongAddressesAreComparedToo) {
  const std::string name(400, 'A');
  EXPECT_TRUE(matches("*@im.test", name + "@im.test"));
  EXPECT_TRUE(matches(std::string(400, 'a') + "@im.test", name + "@IM.test/r"));
}

TEST(Glob, BacktracksInLinearSpace) {
  EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_matches("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(glob_matches("**", ""));
  EXPECT_FALSE(glob_matches("", "x"));
}

}  // namespace
}  // namespace chancery::policy
