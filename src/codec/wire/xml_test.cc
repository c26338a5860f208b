#include "codec/wire/xml.h"

#include <gtest/gtest.h>

namespace chancery::xml {
namespace {

TEST(Xml, ReadsAStream) {
  Scanner scanner(Limits{});
  const std::string octets =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='s' to='im.test'> "
      "<message to='a@b' id=\"1\"><body>a &lt; b<![CDATA[ c]]></body><x xmlns='y'/></message></stream:stream>";
  scanner.feed(octets);
  std::string seen;
  while (const auto item = scanner.next()) {
    seen += std::to_string(static_cast<int>(item->kind));
    if (item->kind != Item::Kind::stanza) continue;
    EXPECT_TRUE(item->element.is("message", "jabber:client"));
    EXPECT_EQ(item->element.attribute("to"), "a@b");
    EXPECT_EQ(item->element.child("body", "jabber:client").text(), "a < b c");
    EXPECT_TRUE(item->element.child("x", "y").is_empty_tag());
  }
  EXPECT_EQ(seen, "01324");
  EXPECT_FALSE(scanner.finish()) << scanner.error().message();
  EXPECT_LT(scanner.memory(), 1024U);
}

}  // namespace
}  // namespace chancery::xml
