#pragma once
// For tests: a gateway on a thread of its own with the line protocol, a journal in memory, a policy in code, and
// blocking peers on both sides.
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <thread>

#include "gateway/gateway.h"
#include "gateway/testing/held_journal.h"
#include "gateway/testing/line_codec.h"
#include "net/testing.h"

namespace chancery::gateway::testing {

// Refuses what says "forbidden", masks "secret", shows `notice` at sign-on when it is set.
class CodePolicy final : public policy::Policy {
 public:
  explicit CodePolicy(std::string revision, std::string notice = {})
      : revision_(std::move(revision)), notice_(std::move(notice)) {}
  const std::string& revision() const override { return revision_; }
  std::unique_ptr<Run> judge(const policy::Subject&) const override { return nullptr; }
  policy::Judgement judge_now(const policy::Subject& subject, Answers& answers) const override;

 private:
  std::string revision_;
  std::string notice_;
};

class Bed : public ::testing::Test {
 protected:
  using Peer = net::testing::Peer;

  Bed();
  ~Bed() override;

  // Change these before `up`.
  Config config;
  std::shared_ptr<const policy::Policy> policy = std::make_shared<CodePolicy>("r1");
  Memory memory;

  void up();
  bool down();  // stops, and gives what `run` gave

  net::Address address(std::string_view listener = "line");
  Peer connect(std::string_view listener = "line") { return Peer::connect(address(listener)); }
  // Runs on the loop's thread and waits for it.
  void on_loop(const std::function<void()>& action);
  // Waits, turn by turn of the loop, until `done` (asked on the loop's thread); false: it took too long.
  bool until(const std::function<bool()>& done);
  bool until_records(Kind kind, std::size_t count);
  Stats stats();

  HeldJournal& journal() { return *journal_; }

  net::testing::TemporaryFolder folder;
  net::testing::Door server;  // the upstream
  net::testing::Certificate certificate;
  net::Log log{2, net::Log::Form::plain, net::Level::alarm};
  std::unique_ptr<Gateway> gateway;

 private:
  std::unique_ptr<HeldJournal> journal_;
  std::thread thread_;
  bool result_ = false;
};

}  // namespace chancery::gateway::testing
