#include "journal/memory_disk.h"

#include <algorithm>

namespace chancery::journal {
namespace {

using Guard = std::lock_guard<std::mutex>;

std::string folder_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }
std::error_code no_such_file() { return std::make_error_code(std::errc::no_such_file_or_directory); }

}  // namespace

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryDisk& disk, MemoryDisk::InodePtr inode) : disk_(disk), inode_(std::move(inode)) {}

  std::expected<std::size_t, std::error_code> read_at(std::uint64_t offset, std::span<char> out) override {
    const Guard guard(disk_.mutex_);
    if (offset >= inode_->now.size()) return 0;
    return inode_->now.copy(out.data(), out.size(), offset);
  }
  std::error_code write_at(std::uint64_t offset, std::span<const Bytes> parts) override {
    const Guard guard(disk_.mutex_);
    return disk_.write(*inode_, offset, parts);
  }
  std::error_code sync() override {
    const Guard guard(disk_.mutex_);
    return disk_.sync(*inode_);
  }
  std::error_code truncate(std::uint64_t size) override {
    const Guard guard(disk_.mutex_);
    return disk_.truncate(*inode_, size);
  }
  std::expected<std::uint64_t, std::error_code> size() override {
    const Guard guard(disk_.mutex_);
    return inode_->now.size();
  }

 private:
  MemoryDisk& disk_;
  MemoryDisk::InodePtr inode_;
};

namespace {

class MemoryLock final : public Lock {
 public:
  MemoryLock(std::shared_ptr<std::set<std::string>> locked, std::string path)
      : locked_(std::move(locked)), path_(std::move(path)) {}
  ~MemoryLock() override { locked_->erase(path_); }

 private:
  std::shared_ptr<std::set<std::string>> locked_;
  std::string path_;
};

}  // namespace

void MemoryDisk::fail(Op op, std::uint64_t nth, std::errc error, bool always) {
  const Guard guard(mutex_);
  const auto i = static_cast<std::size_t>(op);
  faults_[i] = {counts_[i] + nth, error, always};
}

void MemoryDisk::cut_power_after(std::uint64_t operations) {
  const Guard guard(mutex_);
  power_until_ = changes_ + operations;
}

void MemoryDisk::set_capacity(std::uint64_t octets) {
  const Guard guard(mutex_);
  capacity_ = octets;
}

std::uint64_t MemoryDisk::count(Op op) const {
  const Guard guard(mutex_);
  return counts_[static_cast<std::size_t>(op)];
}

std::uint64_t MemoryDisk::changes() const {
  const Guard guard(mutex_);
  return changes_;
}

std::error_code MemoryDisk::step(Op op) {
  const auto i = static_cast<std::size_t>(op);
  ++counts_[i];
  if (changes_ >= power_until_) return std::make_error_code(std::errc::io_error);
  const Fault& fault = faults_[i];
  const bool fails = fault.at != 0 && (fault.always ? counts_[i] >= fault.at : counts_[i] == fault.at);
  if (fails) return std::make_error_code(fault.error);
  if (op != Op::open) ++changes_;
  return {};
}

void MemoryDisk::Change::apply(Names& names) const {
  switch (kind) {
    case Kind::create:
      names.files[path] = inode;
      break;
    case Kind::rename:
      names.files.erase(path);
      names.files[to] = inode;
      break;
    case Kind::remove:
      names.files.erase(path);
      break;
    case Kind::make_directory:
      names.folders.insert(path);
      break;
  }
}

void MemoryDisk::change(Change change) {
  change.apply(now_);
  unsynced_[folder_of(change.path)].push_back(std::move(change));
}

void MemoryDisk::put(Inode& inode, std::uint64_t offset, Bytes octets) {
  if (octets.empty()) return;
  if (inode.now.size() < offset + octets.size()) inode.now.resize(offset + octets.size());
  inode.now.replace(offset, octets.size(), octets);
  for (std::size_t s = offset / kSectorSize; s <= (offset + octets.size() - 1) / kSectorSize; ++s)
    inode.dirty.insert(s);
}

std::uint64_t MemoryDisk::used() const {
  std::uint64_t sum = 0;
  for (const auto& [path, inode] : now_.files) sum += inode->now.size();
  return sum;
}

std::error_code MemoryDisk::write(Inode& inode, std::uint64_t offset, std::span<const Bytes> parts) {
  Buffer octets;
  for (const Bytes part : parts) octets += part;
  const auto error = step(Op::write);
  if (error == std::errc::io_error) return error;
  // A write that fails otherwise has written its first half.
  const std::uint64_t grows = offset + octets.size() > inode.now.size() ? offset + octets.size() - inode.now.size() : 0;
  const bool is_full = capacity_ != UINT64_MAX && grows > 0 && used() + grows > capacity_;
  put(inode, offset, Bytes(octets).substr(0, error || is_full ? octets.size() / 2 : octets.size()));
  if (error) return error;
  return is_full ? std::make_error_code(std::errc::no_space_on_device) : std::error_code{};
}

std::error_code MemoryDisk::sync(Inode& inode) {
  const auto error = step(Op::sync);
  if (changes_ >= power_until_ && error) return error;
  if (!error) {
    inode.durable.resize(inode.now.size());
    for (const std::size_t s : inode.dirty) {
      if (s * kSectorSize >= inode.now.size()) continue;
      const Bytes sector = Bytes(inode.now).substr(s * kSectorSize, kSectorSize);
      inode.durable.replace(s * kSectorSize, sector.size(), sector);
    }
  }
  inode.dirty.clear();
  return error;
}

std::error_code MemoryDisk::truncate(Inode& inode, std::uint64_t size) {
  if (const auto error = step(Op::truncate)) return error;
  inode.now.resize(size);
  return {};
}

std::unique_ptr<MemoryDisk> MemoryDisk::after_power_loss(const std::function<bool()>& coin) const {
  const Guard guard(mutex_);
  Names names = durable_;
  for (const auto& [folder, changes] : unsynced_)
    for (const Change& change : changes)
      if (coin()) change.apply(names);
  auto disk = std::make_unique<MemoryDisk>();
  disk->now_.folders = names.folders;
  for (const auto& [path, inode] : names.files) {
    bool is_reachable = true;
    for (std::string above = folder_of(path); above != "/" && is_reachable; above = folder_of(above))
      is_reachable = names.folders.contains(above);
    if (!is_reachable) continue;
    auto left = std::make_shared<Inode>();
    left->now = inode->durable;
    if (inode->now.size() != inode->durable.size() && coin()) left->now.resize(inode->now.size());
    for (const std::size_t s : inode->dirty) {
      const std::size_t begin = s * kSectorSize;
      if (begin >= left->now.size() || begin >= inode->now.size() || !coin()) continue;
      const std::size_t size = std::min({kSectorSize, left->now.size() - begin, inode->now.size() - begin});
      left->now.replace(begin, size, inode->now, begin, size);
    }
    left->durable = left->now;
    disk->now_.files[path] = std::move(left);
  }
  disk->durable_ = disk->now_;
  return disk;
}

std::unique_ptr<MemoryDisk> MemoryDisk::after_kill() const {
  const Guard guard(mutex_);
  auto disk = std::make_unique<MemoryDisk>();
  std::map<const Inode*, InodePtr> copies;
  const auto copy_of = [&](const InodePtr& inode) {
    auto& copy = copies[inode.get()];
    if (!copy) copy = std::make_shared<Inode>(*inode);
    return copy;
  };
  const auto copy_names = [&](const Names& from, Names& to) {
    to.folders = from.folders;
    for (const auto& [path, inode] : from.files) to.files[path] = copy_of(inode);
  };
  copy_names(now_, disk->now_);
  copy_names(durable_, disk->durable_);
  for (const auto& [folder, changes] : unsynced_)
    for (Change change : changes) {
      if (change.inode) change.inode = copy_of(change.inode);
      disk->unsynced_[folder].push_back(std::move(change));
    }
  return disk;
}

Buffer MemoryDisk::contents(const std::string& path) const {
  const Guard guard(mutex_);
  const auto file = now_.files.find(path);
  return file == now_.files.end() ? Buffer() : file->second->now;
}

void MemoryDisk::set_contents(const std::string& path, Bytes octets) {
  const Guard guard(mutex_);
  auto inode = std::make_shared<Inode>();
  inode->now = inode->durable = octets;
  now_.files[path] = durable_.files[path] = std::move(inode);
}

void MemoryDisk::erase(const std::string& path) {
  const Guard guard(mutex_);
  for (Names* names : {&now_, &durable_}) {
    std::erase_if(names->files,
                  [&](const auto& file) { return file.first == path || file.first.starts_with(path + "/"); });
    std::erase_if(names->folders, [&](const auto& folder) { return folder == path || folder.starts_with(path + "/"); });
  }
}

std::vector<std::string> MemoryDisk::files(const std::string& below) const {
  const Guard guard(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : now_.files)
    if (path.starts_with(below + "/")) paths.push_back(path);
  return paths;
}

std::expected<std::unique_ptr<File>, std::error_code> MemoryDisk::open(const std::string& path, Mode mode) {
  const Guard guard(mutex_);
  if (const auto error = step(Op::open)) return std::unexpected(error);
  auto file = now_.files.find(path);
  if (mode == Mode::create) {
    ++changes_;
    if (file == now_.files.end()) {
      if (!now_.folders.contains(folder_of(path))) return std::unexpected(no_such_file());
      change({Change::Kind::create, path, {}, std::make_shared<Inode>()});
      file = now_.files.find(path);
    }
    file->second->now.clear();
  }
  if (file == now_.files.end()) return std::unexpected(no_such_file());
  return std::make_unique<MemoryFile>(*this, file->second);
}

std::error_code MemoryDisk::rename(const std::string& from, const std::string& to) {
  const Guard guard(mutex_);
  if (const auto error = step(Op::rename)) return error;
  const auto file = now_.files.find(from);
  if (file == now_.files.end()) return no_such_file();
  change({Change::Kind::rename, from, to, file->second});
  return {};
}

std::error_code MemoryDisk::remove(const std::string& path) {
  const Guard guard(mutex_);
  if (const auto error = step(Op::remove)) return error;
  if (!now_.files.contains(path)) return no_such_file();
  change({Change::Kind::remove, path, {}, nullptr});
  return {};
}

std::error_code MemoryDisk::make_directory(const std::string& path) {
  const Guard guard(mutex_);
  if (const auto error = step(Op::make_directory)) return error;
  if (!now_.folders.contains(folder_of(path))) return no_such_file();
  if (!now_.folders.contains(path)) change({Change::Kind::make_directory, path, {}, nullptr});
  return {};
}

std::error_code MemoryDisk::sync_directory(const std::string& path) {
  const Guard guard(mutex_);
  if (const auto error = step(Op::sync_directory)) return error;
  for (const Change& change : unsynced_[path]) change.apply(durable_);
  unsynced_.erase(path);
  return {};
}

std::expected<std::vector<std::string>, std::error_code> MemoryDisk::list(const std::string& path) {
  const Guard guard(mutex_);
  if (!now_.folders.contains(path)) return std::unexpected(no_such_file());
  std::vector<std::string> names;
  const auto add = [&](const std::string& other) {
    if (folder_of(other) == path && other != path) names.push_back(other.substr(path.size() + 1));
  };
  for (const auto& [file, inode] : now_.files) add(file);
  for (const std::string& folder : now_.folders) add(folder);
  std::ranges::sort(names);
  return names;
}

std::expected<bool, std::error_code> MemoryDisk::exists(const std::string& path) {
  const Guard guard(mutex_);
  return now_.files.contains(path) || now_.folders.contains(path);
}

std::expected<bool, std::error_code> MemoryDisk::is_private(const std::string& path) {
  const Guard guard(mutex_);
  if (!now_.files.contains(path)) return std::unexpected(no_such_file());
  return true;
}

std::expected<std::unique_ptr<Lock>, std::error_code> MemoryDisk::lock(const std::string& directory) {
  const Guard guard(mutex_);
  if (!now_.folders.contains(directory)) return std::unexpected(no_such_file());
  if (!locked_->insert(directory).second)
    return std::unexpected(std::make_error_code(std::errc::resource_unavailable_try_again));
  return std::make_unique<MemoryLock>(locked_, directory);
}

}  // namespace chancery::journal
