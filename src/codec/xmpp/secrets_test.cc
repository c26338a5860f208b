#include <gtest/gtest.h>

#include "codec/xmpp/events.h"

namespace chancery::xmpp {
namespace {

// What is masked in a stanza, as `what octets`, one a line.
std::string masked(std::string_view stanza) {
  const Limits limits;
  const xml::Scanner scanner(limits);
  xml::Tree tree;
  EXPECT_FALSE(scanner.parse(stanza, tree)) << stanza;
  Unit unit;
  unit.wire = stanza;
  find_secrets(tree.root(), unit);
  std::string out;
  for (const Secret& secret : unit.secrets)
    out += secret.what + " " + unit.wire.substr(secret.wire_begin, secret.wire_end - secret.wire_begin) + "\n";
  return out;
}

TEST(xmpp_secrets, are_found_whatever_prefix_their_element_has) {
  EXPECT_EQ(masked("<iq><slot xmlns:u='urn:xmpp:http:upload:0'><u:header name='Cookie'>k</u:header></slot></iq>"),
            "upload k\n");
  EXPECT_EQ(masked("<iq><r:query xmlns:r='jabber:iq:register'><r:password>p</r:password></r:query></iq>"),
            "registration p\n");
}

TEST(xmpp_secrets, are_found_however_the_field_is_written) {
  EXPECT_EQ(masked("<iq><x xmlns='jabber:x:data'><field var='x' type='text-priv&#97;te'><value>p</value></field>"
                   "<field var='muc#roomconfig_room&#x73;ecret'><value>q</value></field>"
                   "<field var='topic'><value>t</value></field></x></iq>"),
            "room-password p\nroom-password q\n");
}

TEST(xmpp_secrets, words_alone_are_none) {
  EXPECT_EQ(masked("<message><body>the password is private: secret digest header</body></message>"), "");
}

}  // namespace
}  // namespace chancery::xmpp
