#include "net/text_endpoint.h"

#include <gtest/gtest.h>
#include <thread>

#include "net/testing.h"

namespace chancery::net {
namespace {

std::string ask(const std::string& request) {
  Loop loop;
  const TextEndpoint endpoint(loop, *Address::parse("127.0.0.1", 0), {{"/metrics", [] { return "up 1\n"; }}});
  std::string answer;
  std::thread client([&] {
    auto peer = testing::Peer::connect(endpoint.local());
    peer.send(request);
    answer = peer.read_to_end();
    loop.stop();
  });
  loop.run();
  client.join();
  return answer;
}

TEST(TextEndpoint, AnswersAPageWithItsText) {
  const std::string answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nup 1\n")) << answer;
}

TEST(TextEndpoint, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(ask("GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(ask("POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(ask("\x16\x03\x01 not http\r\n\r\n").starts_with("HTTP/1.1 400"));
  EXPECT_TRUE(ask("GET /metrics HTTP/1.1\r\nX: " + std::string(20'000, 'x')).starts_with("HTTP/1.1 400"));
}

}  // namespace
}  // namespace chancery::net
