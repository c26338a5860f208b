#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/irc/network.h"
#include "codec/irc/rooms.h"

namespace chancery::irc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Casemap, each_mapping_folds_what_its_specification_says) {
  EXPECT_TRUE(same_name("Nick[]\\~", "nick{}|^", Casemap::rfc1459));
  EXPECT_TRUE(same_name("Nick[]\\", "nick{}|", Casemap::rfc1459_strict));
  EXPECT_FALSE(same_name("~", "^", Casemap::rfc1459_strict));
  EXPECT_TRUE(same_name("NICK", "nick", Casemap::ascii));
  EXPECT_FALSE(same_name("[", "{", Casemap::ascii));
  EXPECT_FALSE(same_name("nick", "nick_", Casemap::ascii));
}

TEST(Casemap, an_order_agrees_with_sameness) {
  const NameLess less{Casemap::rfc1459};
  EXPECT_FALSE(less("A[", "a{"));
  EXPECT_FALSE(less("a{", "A["));
  EXPECT_TRUE(less("a", "b"));
  EXPECT_TRUE(less("z", "\xc3\xa4")) << "octets compare unsigned";
}

TEST(Network, learns_from_isupport_tokens) {
  Network network;
  network.learn("CASEMAPPING=strict-rfc1459");
  EXPECT_EQ(network.casemap, Casemap::rfc1459_strict);
  network.learn("CASEMAPPING=rfc7613");
  EXPECT_EQ(network.casemap, Casemap::ascii);
  network.learn("CASEMAPPING=rfc1459");
  EXPECT_EQ(network.casemap, Casemap::rfc1459);
  network.learn("CHANTYPES=#");
  EXPECT_FALSE(network.is_channel("&a"));
  network.learn("PREFIX=(Yqaohv)!~&@%+");
  EXPECT_EQ(network.prefixes, "!~&@%+");
  network.learn("PREFIX=");
  EXPECT_EQ(network.prefixes, "");
  network.learn("EXCEPTS");
}

TEST(Network, tells_channels_from_people) {
  const Network network;
  EXPECT_EQ(network.channel_of("#room"), "#room");
  EXPECT_EQ(network.channel_of("@#room"), "#room");
  EXPECT_EQ(network.channel_of("@%+#room"), "#room");
  EXPECT_EQ(network.channel_of("+room"), "+room") << "a channel without modes, RFC 2812 §1.3";
  EXPECT_EQ(network.channel_of("&room"), "&room") << "and not the admins of \"room\"";
  EXPECT_EQ(network.channel_of("bob"), "");
  EXPECT_EQ(network.channel_of("@"), "");
  EXPECT_EQ(network.channel_of(""), "");
}

TEST(Rooms, know_who_is_where) {
  Rooms rooms{10, 10};
  rooms.open("#Ops");
  rooms.enter("#ops", "Bob");
  rooms.enter("#OPS", "alice");
  rooms.enter("#other", "alice");
  EXPECT_EQ(rooms.name("#OPS"), "#Ops");
  EXPECT_EQ(rooms.name("#other"), "#other");
  EXPECT_THAT(rooms.members("#ops"), ElementsAre("alice", "Bob"));
  EXPECT_TRUE(rooms.has("#ops", "bob"));
  rooms.rename("BOB", "robert");
  EXPECT_THAT(rooms.members("#ops"), ElementsAre("alice", "robert"));
  EXPECT_THAT(rooms.rooms_of("robert"), ElementsAre("#Ops"));
  rooms.leave("#ops", "ROBERT");
  rooms.leave("#ops", "nobody");
  rooms.leave("#nowhere", "alice");
  EXPECT_THAT(rooms.members("#ops"), ElementsAre("alice"));
  rooms.close("#ops");
  rooms.close("#ops");
  EXPECT_THAT(rooms.members("#ops"), IsEmpty());
}

TEST(Rooms, changing_only_the_case_of_a_name_keeps_one_member) {
  Rooms rooms{10, 10};
  rooms.open("#ops");
  rooms.enter("#ops", "bob");
  rooms.rename("bob", "Bob");
  EXPECT_THAT(rooms.members("#ops"), ElementsAre("Bob"));
}

TEST(Rooms, hold_no_more_than_their_limits) {
  Rooms rooms{1, 2};
  rooms.open("#a");
  rooms.open("#b");
  EXPECT_FALSE(rooms.knows("#b"));
  for (const char* nick : {"x", "y", "z", ""}) rooms.enter("#a", nick);
  EXPECT_THAT(rooms.members("#a"), ElementsAre("x", "y"));
}

TEST(Rooms, a_casemap_comes_before_the_first_room_or_not_at_all) {
  Rooms rooms{10, 10};
  rooms.set_casemap(Casemap::ascii);
  rooms.open("#[");
  rooms.set_casemap(Casemap::rfc1459);
  EXPECT_FALSE(rooms.knows("#{"));
}

TEST(Rooms, memory_grows_with_members) {
  Rooms rooms{10, 10'000};
  const std::size_t empty = rooms.memory();
  rooms.open("#a");
  for (int i = 0; i < 1000; ++i) rooms.enter("#a", std::to_string(i));
  EXPECT_GT(rooms.memory(), empty + 1000 * 32);
}

}  // namespace
}  // namespace chancery::irc
