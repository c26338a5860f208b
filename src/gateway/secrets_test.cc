#include "gateway/secrets.h"

#include <gtest/gtest.h>

namespace chancery::gateway {
namespace {

TEST(Secrets, TheWireIsMaskedOctetForOctet) {
  Buffer wire = "PASS hunter2\r\n";
  mask_wire(wire, std::vector<Secret>{{5, 12, "pass"}});
  EXPECT_EQ(wire, "PASS *******\r\n");
}

TEST(Secrets, ASpanBeyondTheWireIsCut) {
  Buffer wire = "PASS x";
  mask_wire(wire, std::vector<Secret>{{5, 900, "pass"}, {800, 900, "pass"}});
  EXPECT_EQ(wire, "PASS *");
}

Event said(const std::string& text, Segment segment) {
  Event event;
  event.texts.push_back({TextPart::Role::body, {}, text, {segment}});
  return event;
}

TEST(Secrets, ATextIsMaskedWhereItsWireIs) {
  // PRIVMSG NickServ :IDENTIFY hunter2
  Event event = said("IDENTIFY hunter2", {0, 16, 18, 34});
  mask_texts(event, std::vector<Secret>{{27, 34, "nickserv"}});
  EXPECT_EQ(event.texts[0].text, "IDENTIFY *******");
}

TEST(Secrets, ATextThatWasEscapedIsMaskedWhole) {
  Event event = said("a<b", {0, 3, 10, 16});  // "a&lt;b"
  mask_texts(event, std::vector<Secret>{{15, 16, "pass"}});
  EXPECT_EQ(event.texts[0].text, "***");
}

TEST(Secrets, AnotherPlacesSecretLeavesTheTextAlone) {
  Event event = said("hello", {0, 5, 10, 15});
  mask_texts(event, std::vector<Secret>{{0, 10, "pass"}, {15, 20, "pass"}});
  EXPECT_EQ(event.texts[0].text, "hello");
}

}  // namespace
}  // namespace chancery::gateway
