#pragma once
// Builds archives in memory for tests, from docs/formats/{journal,checkpoint}.md alone, with every kind of file. Bodies
// are random octets: nothing in `verify` can read them anyway.
#include <map>
#include <random>
#include <string>

#include "archive/verify/source.h"
#include "merkle/checkpoint.h"
#include "merkle/tile.h"
#include "merkle/tree.h"

namespace chancery::verify::testing {

struct Options {
  std::string origin = "demo/gateway-1/00000001-9f3ac2d1";
  std::uint32_t seed = 1;
  char key = 'k';  // the log signer's seed
  bool is_witnessed = true;
  std::size_t body_size = 150;
};

inline constexpr std::int64_t kStartNs = 1'795'395'600'000'000'000;  // 2026-11-23
inline const merkle::SigningKey kWitnessKey{"witness.example/w1", merkle::KeyType::cosignature,
                                            *merkle::PrivateKey::from_seed(Buffer(32, 'w'))};

// One log. Every call appends; times go up by `step`.
class LogBuilder {
 public:
  explicit LogBuilder(Options options);

  void records(std::size_t count);               // each in the open group
  void leaf(LeafType type, const Hash& second);  // with a body
  void end_group();
  void begin_segment();             // ends the group
  void tear(const Buffer& octets);  // a torn tail: the kept file and its leaf
  void publish();                   // ends the group, signs, cosigns
  void pass(Duration time) { now_ += time; }
  void rotate(char key);  // a new signing key, with its line in log.vkey and its record
  Instant& next_record_time() { return now_; }
  bool forged_sequence = false;  // the next record skips a number

  merkle::SigningKey signing_key() const;
  std::uint64_t size() const { return tree_.size() + group_frames_; }
  // The log's files under logs/<origin>/, and archive.json.
  std::map<std::string, Buffer> files() const;

 private:
  void frame(LeafType type, const Hash* second, bool has_body, std::uint64_t sequence);
  std::string in_log(const std::string& name) const { return "logs/" + options_.origin + "/" + name; }
  std::string segment_name(const char* extension) const;
  Buffer random(std::size_t size);

  Options options_;
  std::mt19937 random_;
  std::map<std::string, Buffer> files_;
  Instant now_ = from_unix_ns(kStartNs);
  merkle::CompactRange tree_;
  std::map<merkle::NodeId, Hash> nodes_;
  std::uint64_t index_ = 0, sequence_ = 0, segment_first_ = 0;
  std::uint32_t segment_ = 0, group_frames_ = 0;
  Buffer group_, crcs_, last_leaf_, segment_octets_;
  Hash chain_{};
  Buffer history_, newest_;
  std::uint64_t published_ = 0;
};

// Two logs of one node (epochs 1 and 2), several segments, every kind of file, an unpublished tail; at least 64 KiB.
std::map<std::string, Buffer> whole_archive();
inline constexpr std::string_view kArchiveJson =
    "{\"format\":\"chancery-archive\",\"version\":1,\"id\":\"00112233445566778899aabbccddeeff\"}\n";

}  // namespace chancery::verify::testing
