#include "sensor/enforce/block_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/enforce/testing.h"

namespace chancery::sensor {
namespace {

using testing::at;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<BlockEntry> list() {
  std::vector<BlockEntry> entries;
  for (const char* target : {"chat.example.net", "example.net", "198.51.100.7", "2001:db8::7", "tcp/198.51.100.8:5222",
                             "udp/[2001:db8::8]:3478", "tcp/1863", "other.example"}) {
    BlockEntry entry;
    entry.id = entries.size() + 1;
    entry.target = BlockTarget::parse(target).value();
    entry.state = BlockState::approved;
    entry.reason = "never\nwritten";
    entries.push_back(entry);
  }
  entries[2].expires_at = at(1'090);
  entries.push_back(entries.back());
  entries.back().target = *BlockTarget::parse("192.0.2.99");
  entries.back().state = BlockState::proposed;
  entries.push_back(entries.back());
  entries.back().target = *BlockTarget::parse("192.0.2.98");
  entries.back().state = BlockState::approved;
  entries.back().expires_at = at(1'000);
  return entries;
}

class EachFormat : public ::testing::TestWithParam<BlockFormat> {};

TEST_P(EachFormat, OnlyWhatIsInForceAndNoReasons) {
  const Exported out = export_blocks(list(), GetParam(), at(1'000));
  EXPECT_THAT(out.text, Not(HasSubstr("192.0.2.9")));
  EXPECT_THAT(out.text, Not(HasSubstr("written")));
  EXPECT_EQ(out.written + out.left_out, 8U);
  EXPECT_EQ(export_blocks({}, GetParam(), at(1'000)).written, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, EachFormat,
                         ::testing::Values(BlockFormat::nft, BlockFormat::ipset, BlockFormat::rpz, BlockFormat::squid,
                                           BlockFormat::hosts, BlockFormat::plain));

TEST(BlockExport, Nft) {
  const Exported out = export_blocks(list(), BlockFormat::nft, at(1'000));
  EXPECT_THAT(out.text, HasSubstr("198.51.100.7 timeout 90s"));
  EXPECT_THAT(out.text, HasSubstr("198.51.100.8 . tcp . 5222"));
  EXPECT_THAT(out.text, HasSubstr("2001:db8::8 . udp . 3478"));
  EXPECT_THAT(out.text, HasSubstr("tcp . 1863"));
  EXPECT_EQ(out.left_out, 3U);
}

TEST(BlockExport, Ipset) {
  const Exported out = export_blocks(list(), BlockFormat::ipset, at(1'000));
  EXPECT_THAT(out.text, HasSubstr("add chancery-addresses4 198.51.100.7 timeout 90 -exist\n"));
  EXPECT_THAT(out.text, HasSubstr("add chancery-addresses6 2001:db8::7 -exist\n"));
  EXPECT_THAT(out.text, HasSubstr("add chancery-endpoints4 198.51.100.8,tcp:5222 -exist\n"));
  EXPECT_THAT(out.text, HasSubstr("add chancery-ports-tcp 1863 -exist\n"));
}

TEST(BlockExport, Rpz) {
  const Exported out = export_blocks(list(), BlockFormat::rpz, at(1'000));
  EXPECT_THAT(out.text, HasSubstr("\nexample.net CNAME .\n*.example.net CNAME .\n"));
  EXPECT_THAT(out.text, Not(HasSubstr("chat.example.net")));
  EXPECT_THAT(out.text, HasSubstr("32.7.100.51.198.rpz-ip CNAME .\n"));
  EXPECT_THAT(out.text, HasSubstr("128.7.0.0.0.0.0.db8.2001.rpz-ip CNAME .\n"));
  EXPECT_EQ(out.left_out, 3U);
}

TEST(BlockExport, Squid) {
  const Exported out = export_blocks(list(), BlockFormat::squid, at(1'000));
  EXPECT_THAT(out.text, HasSubstr("acl chancery_names dstdomain .example.net\n"));
  EXPECT_THAT(out.text, HasSubstr("http_access deny chancery_names\n"));
  EXPECT_THAT(out.text, HasSubstr("acl chancery_addresses dst 198.51.100.7\n"));
  EXPECT_THAT(out.text, HasSubstr("acl chancery_7_port port 1863\n"));
  EXPECT_EQ(out.left_out, 1U);
}

TEST(BlockExport, HostsAndPlain) {
  EXPECT_THAT(export_blocks(list(), BlockFormat::hosts, at(1'000)).text,
              HasSubstr("0.0.0.0 chat.example.net\n:: chat.example.net\n"));
  EXPECT_THAT(export_blocks(list(), BlockFormat::plain, at(1'000)).text, HasSubstr("udp/[2001:db8::8]:3478\n"));
}

TEST(BlockTarget, TextAndBack) {
  for (const char* text :
       {"192.0.2.1", "2001:db8::1", "tcp/192.0.2.1:5222", "udp/[2001:db8::1]:53", "tcp/1863", "a.example"})
    EXPECT_EQ(BlockTarget::parse(text).value().text(), text);
  EXPECT_EQ(BlockTarget::parse("CHAT.Example")->text(), "chat.example");
  for (const char* text : {"", "x", "tcp/", "tcp/0", "tcp/70000", "tcp/a:1", "sctp/1:1", "a b.c", "1.2.3.4:5"})
    EXPECT_FALSE(BlockTarget::parse(text)) << text;
}

}  // namespace
}  // namespace chancery::sensor
