// transcript_corpus FOLDER… OUT: writes each *.transcript below the folders as a fuzz seed into the folder OUT.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "codec/testing/fuzz.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: transcript_corpus FOLDER... OUT\n");
    return 2;
  }
  const std::filesystem::path out = argv[argc - 1];
  std::filesystem::create_directories(out);
  for (int i = 1; i < argc - 1; ++i) {
    for (const auto& file : chancery::testing::list_transcripts(argv[i])) {
      const auto transcript = chancery::testing::load_transcript(file);
      if (!transcript) {
        std::fprintf(stderr, "%s\n", transcript.error().c_str());
        return 1;
      }
      std::ofstream{out / file.stem(), std::ios::binary} << chancery::testing::to_fuzz_input(*transcript);
    }
  }
  return 0;
}
