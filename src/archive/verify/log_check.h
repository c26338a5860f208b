#pragma once
// One log: its checkpoints, records, tiles and files, against each other and against the anchors.
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "archive/verify/anchors.h"
#include "archive/verify/history.h"
#include "archive/verify/report.h"
#include "archive/verify/segment.h"
#include "archive/verify/source.h"
#include "archive/verify/tile_check.h"

namespace chancery::verify {

// The files of one log by what they are, from a listing.
struct LogFiles {
  std::set<std::uint32_t> segments, sheets;
  std::map<std::string, std::uint64_t> torn;  // path in the log → the index in its name
  TileWidths tiles;
  bool has_key_file = false;
};

struct LogInput {
  std::string origin;
  LogFiles files;
  HistoryFiles history;
  std::optional<Hash> archive_json;  // SHA-256 of the file, when it is there
};

class LogCheck {
 public:
  // `vouched`: keys that earlier logs of the same node, so believed, named as their next; added to by `run`.
  LogCheck(ArchiveSource& source, const Anchors& anchors, LogInput input, std::vector<merkle::PublicKey>& vouched,
           Report& report);
  void run();

 private:
  // log_keys.cc
  void read_key_file();
  void trust_keys();
  void check_signatures();
  void check_witnesses();
  void check_key_file();
  void conclude();
  bool is_trusted(const merkle::PublicKey& key) const;

  // log_check.cc
  void read_records();
  void on_frame(const Frame& frame, std::uint32_t segment);
  void check_time(const Frame& frame);
  void check_sequence(const Frame& frame);
  void check_place(const Frame& frame, std::uint32_t segment);
  void check_roots();
  void lost(std::uint64_t index, const std::string& file, const std::string& what, Kind kind);

  // log_files.cc
  void report_tiles();
  void check_sheets();
  void check_torn();
  void check_held();

  void find(Kind kind, std::optional<std::uint64_t> index, const std::string& file, const std::string& what);
  std::string path(const std::string& in_log) const { return "logs/" + input_.origin + "/" + in_log; }
  std::optional<Buffer> read(const std::string& in_log);
  std::optional<Buffer> read_tile(const merkle::TileId& tile);
  std::uint64_t published() const { return history_.size(); }

  struct Expected {  // a file that a leaf names
    std::uint64_t index = 0;
    Hash hash{};
  };

  ArchiveSource& source_;
  const Anchors& anchors_;
  LogInput input_;
  std::vector<merkle::PublicKey>& vouched_;
  Report& report_;
  LogReport log_;
  History history_;

  std::vector<merkle::VerifierKey> keys_;  // of log.vkey, in its order
  std::vector<Hash> key_prefixes_;         // SHA-256 of log.vkey's first 1, 2, … lines
  std::vector<merkle::PublicKey> trusted_;
  std::vector<std::size_t> signers_;  // for each checkpoint, who signed it: an index into keys_

  merkle::CompactRange tree_;
  std::optional<TileCheck> tiles_;
  std::size_t next_checkpoint_ = 0;           // the first that covers the next record
  std::map<std::uint64_t, Hash> held_roots_;  // size → root that an anchor demands
  std::optional<std::uint64_t> wrong_root_;   // the first published size whose root the records do not have
  bool is_cut_ = false;                       // records below the newest checkpoint could not be read
  std::unordered_map<ConversationId, std::uint64_t> sequences_;
  std::map<std::uint32_t, std::vector<Expected>> sheets_;  // by segment, oldest first
  std::map<std::string, Expected> torn_;
  std::vector<Expected> key_files_;
};

}  // namespace chancery::verify
