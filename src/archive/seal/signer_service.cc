#include "archive/seal/signer_service.h"

#include <fmt/format.h>

#include "merkle/decimal.h"

namespace chancery::seal {
namespace {

constexpr std::uint64_t kStateSizeMax = 4U << 20;  // octets

std::string line_of(const std::string& origin, const Signed& last) {
  return fmt::format("{} {} {} {}\n", origin, last.head.size, merkle::to_base64(last.head.root), to_rfc3339(last.time));
}

// Cuts `text` at each `separator`; the last part has no separator after it.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (auto at = text.find(separator); at != text.npos; at = text.find(separator)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

std::optional<std::map<std::string, Signed>> parse_state(std::string_view text) {
  std::map<std::string, Signed> all;
  const auto lines = split(text, '\n');
  if (!lines.back().empty()) return std::nullopt;  // cut off
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto words = split(lines[i], ' ');
    if (words.size() != 4) return std::nullopt;
    const auto size = merkle::parse_decimal(words[1]);
    const auto root = merkle::hash_from_base64(words[2]);
    const auto time = parse_rfc3339(words[3]);
    if (!size || !root || !time) return std::nullopt;
    all[std::string{words[0]}] = {{*size, *root}, *time};
  }
  return all;
}

}  // namespace

std::expected<SignerService, std::string> SignerService::open(SignerCore core, journal::Disk& disk, std::string path,
                                                              std::function<Instant()> clock) {
  SignerService service{std::move(core), disk, std::move(path), std::move(clock)};
  const auto there = disk.exists(service.path_);
  if (!there) return std::unexpected(fmt::format("{}: {}", service.path_, there.error().message()));
  if (!*there) return service;
  const auto text = journal::read_file(disk, service.path_, kStateSizeMax);
  if (!text) return std::unexpected(fmt::format("{}: {}", service.path_, text.error().message()));
  auto last = parse_state(*text);
  if (!last)
    return std::unexpected(fmt::format(
        "{}: not a signer's state file. It says what was signed last and guards against signing a fork; restore it, "
        "or remove it only if this key never signed anything.",
        service.path_));
  service.last_ = std::move(*last);
  return service;
}

std::error_code SignerService::remember(const std::string& origin, const Signed& head) {
  auto next = last_;
  next[origin] = head;
  std::string text;
  for (const auto& [name, last] : next) text += line_of(name, last);
  if (const auto error = journal::write_file_durably(*disk_, path_, text)) return error;
  last_ = std::move(next);
  return {};
}

std::expected<Buffer, SignFailure> SignerService::sign(const SignRequest& request) {
  const auto found = last_.find(request.origin);
  if (found == last_.end() && last_.size() >= kSignerOriginsMax)
    return std::unexpected(SignFailure{true, {Refusal::foreign_origin, 0}, "too many origins"});
  const auto last = found == last_.end() ? std::nullopt : std::optional{found->second};
  auto approval = core_.sign(last, request, clock_());
  if (!approval)
    return std::unexpected(SignFailure{true, approval.error(), std::string{to_string(approval.error().why)}});
  if (const auto error = remember(request.origin, approval->signed_now))
    return std::unexpected(SignFailure{false, {}, fmt::format("{}: {}", path_, error.message())});
  return std::move(approval->note);
}

std::expected<std::vector<merkle::VerifierKey>, SignFailure> SignerService::verifiers(const std::string& origin) {
  return core_.verifiers(origin);
}

Buffer SignerService::answer(Bytes octets) {
  if (octets.starts_with("keys ") && octets.ends_with('\n')) {
    const std::string origin{octets.substr(5, octets.size() - 6)};
    if (merkle::is_key_name(origin)) {
      Buffer keys = "keys\n";
      for (const merkle::VerifierKey& key : core_.verifiers(origin)) keys += key.vkey() + "\n";
      return keys;
    }
  }
  const auto request = SignRequest::parse(octets);
  if (!request) return fmt::format("refused {} 0\n", to_string(Refusal::malformed));
  auto note = sign(*request);
  if (note) return "signed\n" + *note;
  if (!note.error().is_refusal) return fmt::format("failed {}\n", note.error().what);
  return fmt::format("refused {} {}\n", to_string(note.error().refused.why), note.error().refused.size);
}

}  // namespace chancery::seal
