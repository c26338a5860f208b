#include "yaml/yaml.h"

#include <array>
#include <gtest/gtest.h>

#include "yaml/nearest.h"

namespace chancery::yaml {
namespace {

constexpr std::array<std::string_view, 3> kKeys = {"site", "node", "listeners"};

std::string error_of(auto&& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

Value doc(std::string_view text) { return Value::parse(text, "f.yaml"); }

TEST(Yaml, ReadsScalarsListsAndMaps) {
  const auto map = doc("site: london\nlisteners: [a, 'b c', 3]\n").map(kKeys);
  EXPECT_EQ(map.at("site").text(), "london");
  EXPECT_EQ(map.at("listeners").texts(), (std::vector<std::string>{"a", "b c", "3"}));
  EXPECT_FALSE(map.find("node"));
  EXPECT_EQ(map.at("listeners").line(), 2);
}

TEST(Yaml, UnknownKeyNamesFileLineAndTheNearestKey) {
  EXPECT_EQ(error_of([] { doc("site: x\nlistner: y\n").map(kKeys); }),
            "f.yaml:2: listner: unknown key; did you mean `listeners`? The keys here are site, node, listeners");
  EXPECT_EQ(error_of([] { doc("zzzzzz: y\n").map(kKeys); }),
            "f.yaml:1: zzzzzz: unknown key; the keys here are site, node, listeners");
}

TEST(Yaml, KeySaidTwiceIsAnError) {
  EXPECT_EQ(error_of([] { doc("site: a\nnode: b\nsite: c\n"); }),
            "f.yaml:3: the key \"site\" is here twice, first in line 1");
}

TEST(Yaml, MissingKeyIsNamed) {
  EXPECT_EQ(error_of([] { doc("site: a\n").map(kKeys).at("node"); }), "f.yaml:1: the key `node` is missing");
}

TEST(Yaml, WrongTypeSaysWhatWasExpected) {
  EXPECT_EQ(error_of([] { doc("site: [a]\n").map(kKeys).at("site").text(); }),
            "f.yaml:1: site: a list where a single value was expected");
  EXPECT_EQ(error_of([] { doc("site:\n").map(kKeys).at("site").text(); }),
            "f.yaml:1: site: nothing where a single value was expected");
  EXPECT_EQ(error_of([] { doc("- a\n").map(kKeys); }),
            "f.yaml:1: a list where a map was expected, with the keys site, node, listeners");
}

TEST(Yaml, NumbersOutOfRangeOrWithTailAreErrors) {
  const auto value = [](std::string_view n) { return doc("site: " + std::string{n}).map(kKeys).at("site"); };
  EXPECT_EQ(value("10").number(1, 10), 10);
  for (const auto* bad : {"11", "0", "-1", "1.0", "0x5", "5s", "99999999999999999999", "''"})
    EXPECT_NE(error_of([&] { value(bad).number(1, 10); }), "no error") << bad;
  EXPECT_EQ(error_of([&] { value("11").number(1, 10); }),
            "f.yaml:1: site: \"11\" is not valid: a whole number from 1 to 10");
}

TEST(Yaml, BooleanIsTrueOrFalseOnly) {
  const auto value = [](std::string_view n) { return doc("site: " + std::string{n}).map(kKeys).at("site"); };
  EXPECT_TRUE(value("true").boolean());
  EXPECT_FALSE(value("false").boolean());
  for (const auto* bad : {"yes", "on", "1", "'true'", "True"})
    EXPECT_NE(error_of([&] { value(bad).boolean(); }), "no error") << bad;
}

TEST(Yaml, ChoiceSuggestsTheNearestWord) {
  EXPECT_EQ(error_of([] {
              constexpr std::array<std::string_view, 2> kTls = {"none", "starttls"};
              doc("site: startls").map(kKeys).at("site").choice(kTls);
            }),
            "f.yaml:1: site: \"startls\" is not valid; did you mean `starttls`? It is one of none, starttls");
}

TEST(Yaml, AnchorsAliasesTagsAndSecondDocumentsAreRefused) {
  EXPECT_EQ(error_of([] { doc("site: &a x\n"); }), "f.yaml:1: an anchor (&name) is not allowed here");
  EXPECT_NE(error_of([] { doc("site: &a x\nnode: *a\n"); }), "no error");
  EXPECT_EQ(error_of([] { doc("site: !!binary x\n"); }), "f.yaml:1: a tag (!name) is not allowed here");
  EXPECT_NE(error_of([] { doc("site: a\n---\nsite: b\n"); }), "no error");
}

TEST(Yaml, BrokenTextIsAnErrorWithItsLine) {
  const auto message = error_of([] { doc("site: a\nnode: [b\n"); });
  EXPECT_TRUE(message.starts_with("f.yaml:")) << message;
  EXPECT_NE(message.find("not YAML"), std::string::npos) << message;
  EXPECT_EQ(error_of([] { doc("site: \"\xff\"\n"); }), "f.yaml: not UTF-8");
  EXPECT_EQ(error_of([] { doc(""); }), "f.yaml: empty: nothing is configured");
}

TEST(Yaml, DepthIsBounded) {
  EXPECT_EQ(error_of([] { doc(std::string(40, '[') + std::string(40, ']')); }), "f.yaml:1: nested deeper than 32");
}

TEST(Yaml, KnownKeysAreCollectedByPlace) {
  constexpr std::array<std::string_view, 1> kItem = {"name"};
  KnownKeys known;
  const auto root = Value::parse("listeners: [{name: a}, {name: b}]", "f", &known);
  for (const auto& item : root.map(kKeys).at("listeners").list()) item.map(kItem);
  EXPECT_EQ(known, (KnownKeys{{"", {"listeners", "node", "site"}}, {"listeners[]", {"name"}}}));
}

TEST(Yaml, AskingForAnUndeclaredKeyIsOurMistake) {
  EXPECT_THROW(doc("site: a").map(kKeys).find("other"), std::logic_error);
}

TEST(Nearest, FindsSlipsAndMissingUnits) {
  constexpr std::array<std::string_view, 3> kWords = {"idle_seconds", "address", "tls"};
  EXPECT_EQ(nearest("adress", kWords), "address");
  EXPECT_EQ(nearest("addrses", kWords), "address");
  EXPECT_EQ(nearest("idle", kWords), "idle_seconds");
  EXPECT_EQ(nearest("tsl", kWords), "tls");
  EXPECT_EQ(nearest("certificate", kWords), "");
}

}  // namespace
}  // namespace chancery::yaml
