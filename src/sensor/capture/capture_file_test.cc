#include "sensor/capture/capture_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::vector<OwnFrame> three_frames() {
  return {{"first frame", from_unix_ns(1'700'000'000'123'456'000), 1, 0},
          {"second, cut", from_unix_ns(1'700'000'001'000'001'000), 1, 1'500},
          {"", from_unix_ns(1'700'000'002'000'000'000), 1, 60}};
}

struct Read {
  std::vector<OwnFrame> frames;
  std::string fault;
  std::uint64_t skipped = 0;
};

Read read_all(Bytes octets) {
  const TemporaryFile file{"a.pcap", octets};
  auto opened = CaptureFile::open(file.path());
  if (!opened) return {{}, opened.error(), 0};
  Read read;
  Frame frame;
  while (opened->next(frame))
    read.frames.push_back({Buffer{frame.octets}, frame.time, frame.link_type, frame.wire_length});
  read.fault = opened->fault();
  read.skipped = opened->skipped();
  return read;
}

void expect_same(const Read& read, const std::vector<OwnFrame>& frames) {
  EXPECT_EQ(read.fault, "");
  ASSERT_EQ(read.frames.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(read.frames[i].octets, frames[i].octets);
    EXPECT_EQ(read.frames[i].time, frames[i].time);
    EXPECT_EQ(read.frames[i].link_type, frames[i].link_type);
    EXPECT_EQ(read.frames[i].wire_length, frames[i].view().wire_length);
  }
}

TEST(CaptureFile, PcapOfEitherByteOrderAndPrecision) {
  const auto frames = three_frames();
  for (const bool nanoseconds : {false, true})
    for (const bool big_endian : {false, true})
      expect_same(read_all(pcap_file(frames, nanoseconds, big_endian)), frames);
}

TEST(CaptureFile, PcapngOfEitherByteOrderWithSeveralLinkTypes) {
  auto frames = three_frames();
  frames[1].link_type = 101;
  for (const bool big_endian : {false, true}) expect_same(read_all(pcapng_file(frames, big_endian)), frames);
}

TEST(CaptureFile, PcapngSectionsFollowOneAnother) {
  const auto frames = three_frames();
  auto twice = frames;
  twice.insert(twice.end(), frames.begin(), frames.end());
  expect_same(read_all(pcapng_file(frames, false) + pcapng_file(frames, true)), twice);
}

TEST(CaptureFile, GzippedFilesAreReadAsTheyAre) {
  expect_same(read_all(gzipped(pcap_file(three_frames()))), three_frames());
  expect_same(read_all(gzipped(pcapng_file(three_frames()))), three_frames());
}

TEST(CaptureFile, LargeFilesAreReadInPieces) {
  std::vector<OwnFrame> frames;
  for (int i = 0; i < 3'000; ++i)
    frames.push_back({Buffer(1'400, static_cast<char>(i)), from_unix_ns(1'700'000'000'000'000'000 + i * 1'000), 1, 0});
  expect_same(read_all(pcap_file(frames)), frames);
  expect_same(read_all(gzipped(pcapng_file(frames))), frames);
}

TEST(CaptureFile, WhatStandsBeforeTheDamageIsRead) {
  const Buffer whole = pcap_file(three_frames());
  for (std::size_t size = 24; size < whole.size(); ++size) {
    const Read read = read_all(Bytes{whole}.substr(0, size));
    EXPECT_LE(read.frames.size(), 2U);
    const bool at_a_border = size == 24 || size == 24 + 16 + 11 || size == 24 + 2 * (16 + 11);
    EXPECT_EQ(read.fault.empty(), at_a_border) << size;
  }
}

TEST(CaptureFile, AnImpossibleLengthEndsTheReading) {
  Buffer whole = pcap_file(three_frames());
  whole[24 + 8 + 3] = 0x7f;
  const Read read = read_all(whole);
  EXPECT_TRUE(read.frames.empty());
  EXPECT_THAT(read.fault, HasSubstr("claims"));
}

TEST(CaptureFile, BlocksWithoutAnInterfaceAreSkippedAndCounted) {
  Buffer whole = pcapng_file(three_frames());
  whole[28] = 0x55;  // the interface's block has an unknown type now
  const Read read = read_all(whole);
  EXPECT_EQ(read.fault, "");
  EXPECT_EQ(read.skipped, 3U);
}

TEST(CaptureFile, WhatIsNoCaptureIsRefusedByName) {
  for (const Bytes octets : {Bytes{""}, Bytes{"abc"}, Bytes{"This is a text file, nothing else."}}) {
    const Read read = read_all(octets);
    EXPECT_THAT(read.fault, HasSubstr("is not a capture file"));
  }
  EXPECT_THAT(CaptureFile::open("/nonexistent/x.pcap").error(), HasSubstr("/nonexistent/x.pcap cannot be opened"));
  EXPECT_THAT(CaptureFile::open("/").error(), HasSubstr("is a folder"));
}

TEST(CaptureFile, AGzipBombEnds) {
  // Records of no octets, over and over: 100 MiB of zeros are some 100 KiB.
  const Buffer bomb = gzipped(pcap_file({}) + Buffer(100U << 20U, '\0'));
  const Read read = read_all(bomb);
  EXPECT_THAT(read.fault, HasSubstr("expands more than"));
}

TEST(CaptureFile, DamagedGzipIsSaid) {
  Buffer octets = gzipped(pcap_file(three_frames()));
  EXPECT_THAT(read_all(Bytes{octets}.substr(0, octets.size() - 12)).fault, HasSubstr("cut short"));
  octets[20] = static_cast<char>(octets[20] ^ 0x5a);
  EXPECT_NE(read_all(octets).fault, "");
}

}  // namespace
}  // namespace chancery::sensor
