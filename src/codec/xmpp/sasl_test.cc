#include "codec/xmpp/sasl.h"

#include <gtest/gtest.h>

#include "core/encoding.h"

namespace chancery::xmpp {
namespace {

using namespace std::string_literals;

TEST(sasl, plain_shows_the_username_and_nothing_else) {
  EXPECT_EQ(sasl_username("PLAIN", to_base64("\0alice\0secret"s)), "alice");
  EXPECT_EQ(sasl_username("PLAIN", to_base64("boss\0alice\0secret"s)), "alice");
}

TEST(sasl, scram_shows_the_username_with_its_escapes_undone) {
  EXPECT_EQ(sasl_username("SCRAM-SHA-1", to_base64("n,,n=user,r=fyko")), "user");  // RFC 5802 §5
  EXPECT_EQ(sasl_username("SCRAM-SHA-256", to_base64("y,a=boss,n=a=2Cb=3Dc,r=fyko")), "a,b=c");
}

TEST(sasl, digest_md5_shows_the_username) {
  EXPECT_EQ(sasl_username("DIGEST-MD5", to_base64("username=\"chris\",realm=\"x\"")), "chris");
}

TEST(sasl, what_is_not_the_mechanisms_form_shows_nothing) {
  EXPECT_EQ(sasl_username("PLAIN", "not base64!"), "");
  EXPECT_EQ(sasl_username("PLAIN", to_base64("secret")), "");
  EXPECT_EQ(sasl_username("PLAIN", to_base64("\0secret"s)), "");
  EXPECT_EQ(sasl_username("PLAIN", to_base64("\0\xff\0secret"s)), "");
  EXPECT_EQ(sasl_username("SCRAM-SHA-1", to_base64("n,")), "");
  EXPECT_EQ(sasl_username("GSSAPI", to_base64("\0alice\0secret"s)), "");
}

}  // namespace
}  // namespace chancery::xmpp
