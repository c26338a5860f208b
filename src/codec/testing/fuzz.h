#pragma once
// The body that every codec's fuzz target shares, so that a protocol's is three lines:
//
//   extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
//     return chancery::testing::fuzz_codec(chancery::irc::kProtocol, {reinterpret_cast<const char*>(data), size});
//   }
//
// Input: one octet of settings (fuzz.cc), one that seeds the decisions, then pieces: an octet (bit 0: side; bits 1-3:
// what happens, 0-4 feed, 5 finish, 6 inject, 7 gap), for a feed two octets of length (little endian) and the octets.
// `transcript_corpus` writes transcripts in this form as seeds.
#include "codec/codec.h"
#include "codec/testing/transcript.h"

namespace chancery::testing {

// Aborts when chunking matters, when units are not the input, when a codec in a gateway that forwards everything
// changes the wire beyond `may_rewrite` (the unit is one the protocol's closed list names), or when a limit is passed.
int fuzz_codec(const Protocol& protocol, Bytes input, bool (*may_rewrite)(const Unit& unit));

Buffer to_fuzz_input(const Transcript& transcript);

}  // namespace chancery::testing
