#include "event/mask.h"

#include <gtest/gtest.h>

namespace chancery {
namespace {

std::string masked(std::string_view text, std::vector<Mask> masks) { return apply_masks(text, 0, masks); }

TEST(ApplyMasks, EachCharacterBecomesOneAsterisk) {
  EXPECT_EQ(masked("the secret plan", {{0, 4, 10}}), "the ****** plan");
  EXPECT_EQ(masked("müller", {{0, 0, 7}}), "******");
  EXPECT_EQ(masked("a你b", {{0, 1, 4}}), "a*b");
}

TEST(ApplyMasks, SeveralMasksAndOnlyThoseOfThisPart) {
  EXPECT_EQ(masked("abcdef", {{0, 0, 1}, {0, 4, 6}, {1, 2, 3}}), "*bcd**");
}

TEST(ApplyMasks, AMaskThatCutsACharacterTakesAllOfIt) {
  EXPECT_EQ(masked("a你b", {{0, 2, 3}}), "a*b");
  EXPECT_EQ(masked("a你b", {{0, 0, 2}}), "**b");
}

TEST(ApplyMasks, WhatLiesBeyondTheTextTakesNothing) {
  EXPECT_EQ(masked("abc", {{0, 3, 9}}), "abc");
  EXPECT_EQ(masked("abc", {{0, 2, 9}}), "ab*");
  EXPECT_EQ(masked("abc", {{0, 2, 2}}), "abc");
  EXPECT_EQ(masked("", {{0, 0, 1}}), "");
}

}  // namespace
}  // namespace chancery
