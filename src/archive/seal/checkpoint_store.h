#pragma once
// The files `checkpoint` and `checkpoints` of a log, written; docs/formats/checkpoint.md, "Publishing".
#include <expected>
#include <optional>
#include <string>

#include "journal/file.h"
#include "merkle/checkpoint.h"

namespace chancery::seal {

struct Published {
  Buffer note;  // whole, as it lies in `checkpoint`
  merkle::TreeHead head;
};

class CheckpointStore {
 public:
  // Finishes, or takes back, a publication that was cut short. The error is a sentence that names the file.
  static std::expected<CheckpointStore, std::string> open(journal::Disk& disk, std::string folder);

  const std::optional<Published>& newest() const { return newest_; }
  // What the next checkpoint's "previous" line must say.
  Hash previous() const;
  // Durable when this returns without error. After an error the store must be opened anew; after `sync_failed()` not
  // even that.
  std::error_code publish(const Buffer& note, const merkle::TreeHead& head);
  bool sync_failed() const { return sync_failed_; }

 private:
  CheckpointStore(journal::Disk& disk, std::string folder) : disk_(&disk), folder_(std::move(folder)) {}
  std::expected<void, std::string> recover();
  std::error_code write_new(const Buffer& note);
  std::error_code append(const Buffer& note);
  std::error_code rename_new();
  std::string path(std::string_view name) const { return folder_ + "/" + std::string{name}; }

  journal::Disk* disk_;
  std::string folder_;
  std::uint64_t history_size_ = 0;  // octets of `checkpoints`
  std::optional<Published> newest_;
  bool sync_failed_ = false;
};

// The size in the newest published checkpoint of a log folder; 0 when there is none or it cannot be read.
// For journal::Options::published_size.
std::uint64_t published_size(journal::Disk& disk, const std::string& folder);

}  // namespace chancery::seal
