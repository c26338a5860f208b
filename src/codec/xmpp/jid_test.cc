#include "codec/xmpp/jid.h"

#include <gtest/gtest.h>

namespace chancery::xmpp {
namespace {

TEST(jid, has_three_parts) {
  EXPECT_EQ(local_part("alice@im.test/home/a@b"), "alice");
  EXPECT_EQ(domain_part("alice@im.test/home/a@b"), "im.test");
  EXPECT_EQ(resource_part("alice@im.test/home/a@b"), "home/a@b");
  EXPECT_EQ(bare_part("alice@im.test/home/a@b"), "alice@im.test");
}

TEST(jid, may_lack_a_localpart_or_a_resourcepart) {
  EXPECT_EQ(local_part("im.test/x"), "");
  EXPECT_EQ(domain_part("im.test/x"), "im.test");
  EXPECT_EQ(resource_part("alice@im.test"), "");
  EXPECT_EQ(bare_part(""), "");
}

TEST(jid, is_one_address_in_any_case_but_for_the_resource) {
  EXPECT_EQ(normal_jid("Alice@IM.Test/Home"), "alice@im.test/Home");
  EXPECT_EQ(normal_bare("Alice@IM.Test/Home"), "alice@im.test");
  EXPECT_EQ(normal_bare("im.test."), "im.test");
}

TEST(jid, is_one_address_in_any_unicode_form) {
  EXPECT_EQ(normal_bare("JU\xCC\x88RGEN@im.test"), normal_bare("j\xC3\xBCrgen@im.test"));  // u + diaeresis, ü
  EXPECT_EQ(normal_bare("\xEF\xBC\xA1lice@im.test"), "alice@im.test");                     // full-width A
  EXPECT_EQ(normal_bare("stra\xC3\x9F"
                        "e@im.test"),
            "strasse@im.test");  // sharp s folds
}

}  // namespace
}  // namespace chancery::xmpp
