#include "sensor/classify/hosts.h"

#include <gtest/gtest.h>

#include "sensor/classify/learned.h"
#include "sensor/classify/testing.h"

namespace chancery::sensor {

std::string_view standard_hosts_text();

namespace {

std::string app(const Hosts& hosts, std::string_view host) {
  const HostRule* rule = hosts.find(host);
  return rule == nullptr ? "" : rule->application;
}

TEST(Hosts, the_standard_list_is_without_fault) {
  Hosts hosts;
  EXPECT_EQ(hosts.add(standard_hosts_text()), std::nullopt);
  EXPECT_GT(hosts.size(), 400U);
  EXPECT_EQ(app(Hosts::standard(), "web.whatsapp.com"), "WhatsApp");
  EXPECT_EQ(app(Hosts::standard(), "edge-mqtt-mini.facebook.com"), "FacebookMessenger");
  EXPECT_EQ(app(Hosts::standard(), "www.facebook.com"), "");
}

TEST(Hosts, providers_mail_and_search_are_not_messengers) {
  for (const std::string_view host :
       {"yahoo.com", "mail.yahoo.com", "smtp.mail.yahoo.com", "qq.com", "mail.qq.com", "google.com", "smtp.gmail.com",
        "www.microsoft.com", "outlook.office.com", "www.apple.com", "aol.com"})
    EXPECT_EQ(app(Hosts::standard(), host), "") << host;
}

TEST(Hosts, the_longest_match_wins_and_a_later_file_over_an_earlier) {
  Hosts hosts;
  ASSERT_EQ(hosts.add("chat.test\tA\tim\nweb.chat.test\tB\tweb-im # why\n=exact.test\tC\tp2p\nmqtt*.big.test\tD\tim\n"),
            std::nullopt);
  EXPECT_EQ(app(hosts, "chat.test"), "A");
  EXPECT_EQ(app(hosts, "x.chat.test"), "A");
  EXPECT_EQ(app(hosts, "x.web.chat.test"), "B");
  EXPECT_EQ(app(hosts, "notchat.test"), "");
  EXPECT_EQ(app(hosts, "exact.test"), "C");
  EXPECT_EQ(app(hosts, "www.exact.test"), "");
  EXPECT_EQ(app(hosts, "mqtt-mini.big.test"), "D");
  EXPECT_EQ(app(hosts, "a.mqtt.big.test"), "");
  ASSERT_EQ(hosts.add("web.chat.test\t-\nchat.test\tE\tother\n"), std::nullopt);
  EXPECT_EQ(app(hosts, "web.chat.test"), "");
  EXPECT_EQ(app(hosts, "chat.test"), "E");
}

TEST(Hosts, networks) {
  Hosts hosts;
  ASSERT_EQ(hosts.add("198.51.100.0/25\tA\tim\n2001:db8::/32\tB\tim\n"), std::nullopt);
  ASSERT_NE(hosts.find(v4("\xc6\x33\x64\x7f")), nullptr);
  EXPECT_EQ(hosts.find(v4("\xc6\x33\x64\x80")), nullptr);
  EXPECT_NE(hosts.find(Address::v6(Bytes{"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16})), nullptr);
}

TEST(Hosts, a_fault_names_its_line_and_what_would_do) {
  const auto fault = [](std::string_view text) { return Hosts{}.add(text).value_or(""); };
  EXPECT_EQ(fault("a.test\tA\tim\nb.test\tB\tchat\n"),
            "line 2: 'chat' is not a category (im, p2p, voip, web-im, other)");
  EXPECT_EQ(fault("b.test\n"), "line 1: 'b.test' has no application: pattern, application, category, by tabs");
  EXPECT_EQ(fault("192.0.2.0/33\tA\tim\n"), "line 1: '192.0.2.0/33' is not a network such as 192.0.2.0/24");
  EXPECT_EQ(fault("a.*.test\tA\tim\n"),
            "line 1: 'a.*.test': a star stands at the end of the first label only, as in mqtt*.example.com");
  EXPECT_EQ(fault("b c\tA\tim\n"), "line 1: 'b c' is not a host name");
}

const HostRule kIm{"A", Category::im};
const Instant kNow = from_unix_ns(1'700'000'000'000'000'000);

TEST(LearnedNames, an_address_is_what_the_client_asked_for_until_it_expires) {
  LearnedNames names{{}};
  names.learn(server_end().address, client_end().address, {"im.test", &kIm}, std::chrono::hours{1}, kNow);
  const auto* found = names.find(server_end().address, client_end().address, kNow + std::chrono::minutes{59});
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->host, "im.test");
  EXPECT_NE(names.find(server_end().address, v4("\x0a\0\0\x09"), kNow), nullptr)
      << "another client, who asked for nothing";
  EXPECT_EQ(names.find(server_end().address, client_end().address, kNow + std::chrono::minutes{61}), nullptr);
}

TEST(LearnedNames, an_address_that_serves_other_names_too_is_nothing) {
  LearnedNames names{{}};
  names.learn(server_end().address, client_end().address, {"im.test", &kIm}, std::chrono::hours{1}, kNow);
  names.learn(server_end().address, client_end().address, {"updates.test", nullptr}, std::chrono::hours{1}, kNow);
  EXPECT_EQ(names.find(server_end().address, client_end().address, kNow), nullptr);
}

TEST(LearnedNames, memory_is_bounded) {
  LearnedLimits limits;
  limits.addresses_max = limits.sockets_max = 1'000;
  LearnedNames names{limits};
  LearnedSockets sockets{limits};
  for (unsigned i = 0; i < 10'000; ++i) {
    const char four[] = {10, static_cast<char>(i >> 16), static_cast<char>(i >> 8), static_cast<char>(i)};
    names.learn(Address::v4({four, 4}), client_end().address, {"im.test", &kIm}, std::chrono::hours{1}, kNow);
    sockets.learn({Address::v4({four, 4}), 5'000}, "BitTorrent", Category::p2p, false, kNow);
  }
  EXPECT_LT(names.memory(), 1'000U * 600U);
  EXPECT_LT(sockets.memory(), 1'000U * 200U);
}

TEST(LearnedSockets, what_was_only_announced_does_not_replace_what_was_spoken) {
  LearnedSockets sockets{{}};
  sockets.learn(server_end(), "Gnutella", Category::p2p, false, kNow);
  sockets.learn(server_end(), "BitTorrent", Category::p2p, true, kNow);
  ASSERT_NE(sockets.find(server_end(), kNow), nullptr);
  EXPECT_EQ(sockets.find(server_end(), kNow)->application, "Gnutella");
  EXPECT_EQ(sockets.find(server_end(), kNow + std::chrono::hours{1}), nullptr);
}

}  // namespace
}  // namespace chancery::sensor
