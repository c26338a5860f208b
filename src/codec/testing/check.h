#pragma once
// Everything a transcript proves about a codec, in one call, and the one macro that a protocol's test needs:
//
//   #include "codec/testing/check.h"
//   CHANCERY_TRANSCRIPTS(irc, chancery::irc::kProtocol, CHANCERY_TESTDATA)
//
// Checked for each transcript: what it expects; the same units whole, byte by byte, in random pieces (three seeds) and
// with neighbouring lines of one side joined; units' wires together are the input; a stream cut short at any octet
// never yields a wrong or a further unit; small limits give a clean sticky error; lost octets do no harm; and, where
// nothing was rewritten, the sensor sees what the gateway sees.
// CHANCERY_BLESS=1 rewrites the expectations instead; CHANCERY_SEED=<n> repeats a random run.
#include <filesystem>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "codec/testing/transcript.h"

namespace chancery::testing {

// What went wrong, each with file and line; empty: all is well.
std::vector<std::string> check_transcript(const Protocol& protocol, const std::filesystem::path& file);

// The same without a file, and never blessing.
std::vector<std::string> check_transcript(const Protocol& protocol, const Transcript& transcript,
                                          const std::string& name, std::uint64_t seed);

}  // namespace chancery::testing

#define CHANCERY_TRANSCRIPTS(suite, protocol, folder)                                                                 \
  class suite##_transcript : public ::testing::TestWithParam<std::filesystem::path> {};                               \
  TEST_P(suite##_transcript, holds) {                                                                                 \
    for (const std::string& failure : ::chancery::testing::check_transcript(protocol, GetParam()))                    \
      ADD_FAILURE() << failure;                                                                                       \
  }                                                                                                                   \
  INSTANTIATE_TEST_SUITE_P(all, suite##_transcript,                                                                   \
                           ::testing::ValuesIn(::chancery::testing::list_transcripts(folder)), [](const auto& file) { \
                             std::string name = file.param.stem().string();                                           \
                             for (char& c : name)                                                                     \
                               if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';                             \
                             return name;                                                                             \
                           })
