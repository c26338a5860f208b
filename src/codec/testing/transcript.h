#pragma once
// A golden transcript: one situation on the wire, readable, with what a codec must make of it.
// The file format is docs/formats/transcript.md.
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"

namespace chancery::testing {

// What a `!` line asks policy to say about one event.
struct DecisionSpec {
  Verdict verdict = Verdict::forward;
  std::vector<Mask> masks;         // `redact 0:3-7`
  std::vector<std::string> words;  // `redact "word"`: each occurrence in each text
  std::string notice;              // `refuse "…"`
  std::string source;              // the line as written, to write it back
  Decision decide(const Event& event) const;
};

// One input line and what is expected of it.
struct Step {
  enum class What : std::uint8_t { feed, start, finish, gap, inject, inject_about, end, clock };
  What what = What::feed;
  Side side = Side::client;
  Buffer octets;           // feed: with its line end; inject: the text
  std::uint64_t lost = 0;  // gap
  Codec::Ending ending = Codec::Ending::shutdown;
  Duration advance{};                             // clock
  std::size_t line = 0;                           // in the file, from 1
  std::vector<std::string> source;                // comments before it and the line itself, as written
  std::map<std::size_t, DecisionSpec> decisions;  // by the event's place among this step's events, from 0
  std::vector<std::string> expected;              // without indentation
};

struct Transcript {
  std::string protocol;
  Start start;
  Limits limits;
  Instant begin;                    // the clock before the first step
  bool crlf = false;                // `lines: crlf`
  bool datagrams = false;           // `boundary: datagram`: each wire line is one datagram
  std::vector<std::string> header;  // the lines before the first step that belong to no step, as written
  std::vector<Step> steps;
  std::vector<std::string> footer;  // comments after the last step
};

// The error names the line and what is wrong with it.
std::expected<Transcript, std::string> parse_transcript(std::string_view text);
std::expected<Transcript, std::string> load_transcript(const std::filesystem::path& file);

// Writes the transcript with `expected` as each step holds it: the identity on a parsed file in canonical form.
std::string format_transcript(const Transcript& transcript);

// All *.transcript files below `folder`, sorted.
std::vector<std::filesystem::path> list_transcripts(const std::filesystem::path& folder);

}  // namespace chancery::testing
