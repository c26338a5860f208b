#pragma once
// For tests: checkpoints over a real journal.
#include <fstream>
#include <gtest/gtest.h>
#include <string>

#include "archive/seal/sealer.h"
#include "archive/testing/live_log.h"

namespace chancery::archive::testing {

// Publishes a checkpoint over all that is durable, and the key it verifies under, as the gateway does.
inline void publish(const LiveLog& log, seal::HeadSigner& signer) {
  seal::SealerOptions options;
  options.disk = &journal::posix_disk();
  options.folder = (log.paths().archive / "logs" / log.origin()).string();
  options.origin = log.origin();
  options.signer = &signer;
  options.leaves = seal::journal_leaves(journal::posix_disk(), options.folder);
  options.on_problem = [](const std::string& what) { ADD_FAILURE() << what; };
  std::ofstream(options.folder + "/log.vkey") << signer.verifier(log.origin())->vkey() << "\n";
  seal::Sealer sealer{options};
  sealer.start(log.durable_size());
  sealer.stop();
  EXPECT_EQ(sealer.status().published, log.durable_size());
}

}  // namespace chancery::archive::testing
