#include "archive/verify/testing/archive_builder.h"

#include <fmt/format.h>

#include "core/crc32c.h"
#include "core/encoding.h"

namespace chancery::verify::testing {
namespace {

Buffer number(std::uint64_t value, std::size_t size) {
  Buffer octets(size, '\0');
  for (std::size_t i = size; i-- > 0; value >>= 8) octets[i] = static_cast<char>(value & 0xff);
  return octets;
}

Buffer crc(Bytes octets) { return number(mask_crc(crc32c(octets)), 4); }

}  // namespace

LogBuilder::LogBuilder(Options options) : options_(std::move(options)), random_(options_.seed) {
  files_["archive.json"] = Buffer{kArchiveJson};
  files_[in_log("log.vkey")] = signing_key().verifier().vkey() + "\n";
  chain_ = merkle::sha256({"chancery/1/chain", options_.origin});
  begin_segment();
}

merkle::SigningKey LogBuilder::signing_key() const {
  return {options_.origin, merkle::KeyType::ed25519, *merkle::PrivateKey::from_seed(Buffer(32, options_.key))};
}

std::string LogBuilder::segment_name(const char* extension) const {
  return in_log(fmt::format("segments/{:08}.{}", segment_, extension));
}

Buffer LogBuilder::random(std::size_t size) {
  Buffer octets(size, '\0');
  for (char& c : octets) c = static_cast<char>(random_());
  return octets;
}

void LogBuilder::begin_segment() {
  end_group();
  std::uint64_t previous_size = 0;
  if (index_ != 0) {
    files_[segment_name("seg")] = segment_octets_;
    previous_size = segment_octets_.size();
    ++segment_;
  }
  segment_first_ = index_;
  Buffer header = Buffer{"CHSEGMT\n"} + number(1, 2) + number(1, 2) + number(segment_, 4) + number(index_, 8) +
                  number(previous_size, 8);
  header += bytes_of(chain_);
  header += random(16) + number(options_.origin.size(), 2) + options_.origin;
  header.resize(252);
  segment_octets_ = header + crc(header);
  files_[segment_name("sheet")] = "CHSHEET\n" + random(90);
  const Hash sheet = merkle::sha256(files_[segment_name("sheet")]);
  if (index_ == 0) {
    const Hash archive = merkle::sha256(kArchiveJson);
    frame(LeafType::log_opened, &archive, true, sequence_++);
  }
  frame(LeafType::segment_opened, &sheet, false, segment_);
}

void LogBuilder::frame(LeafType type, const Hash* second, bool has_body, std::uint64_t sequence) {
  const Buffer body = has_body ? random(options_.body_size + random_() % 64) : Buffer{};
  Leaf leaf;
  leaf.type = type;
  leaf.time = now_;
  if (has_body) leaf.conversation.octets.fill(7);
  leaf.conversation_sequence = sequence;
  if (has_body) leaf.commitment = merkle::sha256(random(8));
  leaf.second = second ? *second : merkle::sha256(body);
  const auto encoded = encode(leaf);
  last_leaf_.assign(encoded.data(), encoded.size());
  const Buffer rest = number(kLeafSize + body.size(), 4) + number(index_++, 8) + last_leaf_ + body;
  group_ += crc(rest) + rest;
  crcs_ += crc(rest);
  ++group_frames_;
  tree_.append(merkle::leaf_hash(last_leaf_), [this](merkle::NodeId id, const Hash& hash) { nodes_[id] = hash; });
  now_ += std::chrono::milliseconds{1500};
}

void LogBuilder::records(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (std::exchange(forged_sequence, false)) ++sequence_;
    frame(LeafType::record, nullptr, true, sequence_++);
  }
}

void LogBuilder::leaf(LeafType type, const Hash& second) { frame(type, &second, true, sequence_++); }

void LogBuilder::end_group() {
  if (group_frames_ == 0) return;
  const std::uint64_t first = index_ - group_frames_;
  Buffer rest = number(group_frames_, 4) + number(group_.size(), 4) + number(first, 8) + number(first, 8) + crc(crcs_);
  rest += bytes_of(chain_);
  const Buffer header = Buffer{"\x9cGRP"} + crc(rest) + rest;
  segment_octets_ += header + group_;
  chain_ = merkle::sha256({"chancery/1/chain", header, last_leaf_});
  group_.clear();
  crcs_.clear();
  group_frames_ = 0;
}

void LogBuilder::tear(const Buffer& octets) {
  end_group();
  files_[in_log(fmt::format("torn/{:08}-{}.torn", segment_, index_))] = octets;
  leaf(LeafType::torn_tail, merkle::sha256(octets));
  end_group();
}

void LogBuilder::rotate(char key) {
  options_.key = key;
  Buffer& keys = files_[in_log("log.vkey")];
  keys += signing_key().verifier().vkey() + "\n";
  leaf(LeafType::key_added, merkle::sha256(keys));
}

void LogBuilder::publish() {
  end_group();
  const std::uint64_t size = tree_.size();
  for (const merkle::TileId& tile : merkle::partial_tiles(published_)) files_.erase(in_log(merkle::path_of(tile)));
  for (const merkle::TileId& tile : merkle::tiles_of(size)) {
    Buffer& octets = files_[in_log(merkle::path_of(tile))];
    octets.clear();
    for (unsigned i = 0; i < tile.width; ++i)
      octets += bytes_of(nodes_.at({tile.level * merkle::kTileHeight, tile.index * merkle::kTileWidth + i}));
  }
  const Hash previous = newest_.empty() ? Hash{} : merkle::sha256(newest_);
  const merkle::Checkpoint checkpoint{
      options_.origin, {size, tree_.root()}, merkle::Extensions{now_, previous}.lines()};
  merkle::Note note{checkpoint.text(), {signing_key().sign(checkpoint.text())}};
  if (options_.is_witnessed)
    note.signatures.push_back(
        kWitnessKey.cosign(note.text, static_cast<std::uint64_t>(unix_ns(now_) / 1'000'000'000 + 1)));
  newest_ = note.encode();
  history_ += newest_ + "\n";
  published_ = size;
}

std::map<std::string, Buffer> LogBuilder::files() const {
  auto files = files_;
  files[segment_name("seg")] = segment_octets_;
  if (!newest_.empty()) {
    files[in_log("checkpoint")] = newest_;
    files[in_log("checkpoints")] = history_;
  }
  return files;
}

std::map<std::string, Buffer> whole_archive() {
  LogBuilder first{{}};
  first.records(40);
  first.publish();
  first.records(30);
  first.begin_segment();
  first.records(60);
  first.publish();
  first.tear("octets of an unfinished group");
  first.records(60);
  first.begin_segment();
  first.records(90);
  first.rotate('r');
  first.publish();
  LogBuilder second{{.origin = "demo/gateway-1/00000002-00c0ffee", .seed = 2}};
  second.records(20);
  second.publish();
  second.records(9);
  second.end_group();  // the unpublished tail
  auto files = first.files();
  files.merge(second.files());
  const Buffer manifest = "{\"format\":\"chancery-backup\",\"version\":1,\"files\":[]";
  files["backup.json"] = manifest + ",\"sha256\":\"" + to_hex(bytes_of(merkle::sha256(manifest))) + "\"}\n";
  return files;
}

}  // namespace chancery::verify::testing
