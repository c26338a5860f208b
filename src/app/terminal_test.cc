#include "app/terminal.h"

#include <gtest/gtest.h>

namespace chancery::app {
namespace {

TEST(Harmless, EscapeSequencesLoseTheirForce) {
  EXPECT_EQ(harmless("\x1b[2Jgone\x07"), " [2Jgone ");
  EXPECT_EQ(harmless("a\nb\tc"), "a b c");
  EXPECT_EQ(harmless("x\xc2\x9bm"), "x  m");
}

TEST(Harmless, TextIsUntouchedAndOctetsThatAreNoneAreReplaced) {
  EXPECT_EQ(harmless("grüße 你好 👍"), "grüße 你好 👍");
  EXPECT_EQ(harmless("caf\xe9"), "caf\xEF\xBF\xBD");
}

}  // namespace
}  // namespace chancery::app
