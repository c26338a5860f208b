#include "archive/verify/bundle.h"

#include <algorithm>
#include <fmt/format.h>

#include "core/encoding.h"

namespace chancery::verify {
namespace {

constexpr std::string_view kHeader = "chancery-bundle v1";

std::optional<std::string_view> take_line(Bytes& rest, std::string_view prefix) {
  const auto end = rest.find('\n');
  if (end == Bytes::npos || !rest.starts_with(prefix)) return std::nullopt;
  const auto value = rest.substr(prefix.size(), end - prefix.size());
  rest.remove_prefix(end + 1);
  return value;
}

std::optional<Buffer> take_base64(Bytes& rest, std::string_view prefix) {
  const auto value = take_line(rest, prefix);
  return value ? from_base64(*value) : std::nullopt;
}

class BundleCheck {
 public:
  BundleCheck(const Bundle& bundle, const Anchors& anchors) : bundle_(bundle), anchors_(anchors) {}

  Report run() {
    const auto note = merkle::parse_note(bundle_.proof.checkpoint);
    const auto checkpoint = note ? merkle::Checkpoint::parse(note->text) : std::unexpected(note.error());
    if (!checkpoint) {
      report_.findings.push_back({Kind::altered, "", std::nullopt, "", "the bundle's checkpoint cannot be read"});
      return std::move(report_);
    }
    log_.origin = checkpoint->origin;
    log_.records = 1;
    log_.checkpoints = 1;
    log_.published = checkpoint->head.size;
    shown_.record = fmt::format("{}#{}", log_.origin, bundle_.proof.index);
    shown_.tree_size = checkpoint->head.size;
    check_record(*checkpoint);
    check_time(*checkpoint);
    check_signers(*note, *checkpoint);
    log_.is_anchored = log_.anchored > 0;
    shown_.checkpoint_time = log_.published_time;
    report_.logs.push_back(log_);
    report_.bundle = std::move(shown_);
    return std::move(report_);
  }

 private:
  void find(Kind kind, const std::string& what) {
    report_.findings.push_back({kind, log_.origin, bundle_.proof.index, "", what});
  }

  void check_record(const merkle::Checkpoint& checkpoint) {
    if (const auto error =
            merkle::check_inclusion(bundle_.proof.index, checkpoint.head.size, merkle::leaf_hash(bundle_.leaf),
                                    bundle_.proof.hashes, checkpoint.head.root))
      find(Kind::altered, "the record is not in the tree that the checkpoint signs: " + error.message());
    const auto leaf = decode_leaf(bundle_.leaf);
    if (!leaf) return find(Kind::altered, "its leaf cannot be read");
    shown_.time = leaf->time;
    shown_.conversation = leaf->conversation.hex();
    shown_.conversation_sequence = leaf->conversation_sequence;
    if (!bundle_.disclosed) return;
    const auto& [record, salt] = *bundle_.disclosed;
    if (merkle::hmac_sha256(bytes_of(salt), record) != leaf->commitment)
      return find(Kind::altered, "what the bundle says the record said is not what was recorded");
    shown_.said = read_disclosed(record);
    if (!shown_.said)
      report_.notes.push_back("the record is what was recorded; this program cannot read it (a later version's?)");
  }

  void check_time(const merkle::Checkpoint& checkpoint) {
    const auto extensions = merkle::Extensions::parse(checkpoint.extensions);
    const auto leaf = decode_leaf(bundle_.leaf);
    if (!extensions) return find(Kind::altered, "the checkpoint does not say when it was signed");
    log_.published_time = extensions->time;
    if (leaf && leaf->time - anchors_.tolerance > extensions->time)
      find(Kind::backdated,
           fmt::format("it says {}, but was published at {}", to_rfc3339(leaf->time), to_rfc3339(extensions->time)));
  }

  void check_signers(const merkle::Note& note, const merkle::Checkpoint& checkpoint) {
    for (const HeldCheckpoint& held : anchors_.since)
      if (held.origin == checkpoint.origin && held.head.size == checkpoint.head.size) {
        if (held.head.root != checkpoint.head.root)
          find(Kind::resigned, "the checkpoint from outside has another root at this size");
        else
          log_.anchored = checkpoint.head.size;
      }
    check_log_keys(note, checkpoint.origin);
    for (const merkle::VerifierKey& witness : anchors_.witnesses) check_witness(note, witness);
    for (const merkle::NoteSignature& signature : note.signatures)
      if (signature.name != checkpoint.origin &&
          std::ranges::find(shown_.witnesses, signature.name, &Signer::name) == shown_.witnesses.end())
        shown_.witnesses.push_back({signature.name, "", false, std::nullopt});
  }

  void check_log_keys(const merkle::Note& note, const std::string& origin) {
    const auto signed_by = [&](const merkle::PublicKey& key, bool is_anchor) {
      const merkle::VerifierKey named{origin, merkle::KeyType::ed25519, key};
      if (!anchors_.check(note, named).is_valid()) return false;
      shown_.signers.push_back({origin, named.vkey(), is_anchor, std::nullopt});
      return true;
    };
    bool is_signed = false;
    for (const merkle::PublicKey& key : anchors_.keys) is_signed |= signed_by(key, true);
    if (is_signed) log_.anchored = log_.published;
    if (!anchors_.keys.empty())
      return is_signed ? void() : find(Kind::resigned, "its checkpoint is not validly signed by a given key");
    // Without a given key, at least the one it brings along must fit.
    const auto own = parse_keys(bundle_.keys);
    const bool fits =
        own && std::ranges::any_of(*own, [&](const merkle::PublicKey& key) { return signed_by(key, false); });
    if (!fits) find(Kind::altered, "its checkpoint is not signed by the key that the bundle names");
  }

  void check_witness(const merkle::Note& note, const merkle::VerifierKey& witness) {
    const merkle::Checked checked = anchors_.check(note, witness);
    if (!checked.is_valid())
      return find(Kind::resigned, fmt::format("its checkpoint bears no valid cosignature of {}", witness.name));
    const Instant time = from_unix_ns(static_cast<std::int64_t>(checked.time_s) * 1'000'000'000);
    log_.witnessed = log_.anchored = log_.published;
    log_.witnessed_time = time;
    shown_.witnesses.push_back({witness.name, witness.vkey(), true, time});
    if (log_.published_time &&
        (time + anchors_.tolerance < *log_.published_time || time - anchors_.tolerance > *log_.published_time))
      find(Kind::backdated, fmt::format("it says it was signed at {}, the witness {} saw it at {}",
                                        to_rfc3339(*log_.published_time), witness.name, to_rfc3339(time)));
  }

  const Bundle& bundle_;
  const Anchors& anchors_;
  Report report_;
  LogReport log_;
  BundleReport shown_;
};

}  // namespace

Buffer Bundle::encode() const {
  Buffer out = fmt::format("{}\nkeys {}\nleaf {}\n", kHeader, chancery::to_base64(keys), chancery::to_base64(leaf));
  if (disclosed)
    out +=
        fmt::format("record {}\nsalt {}\n", chancery::to_base64(disclosed->record), merkle::to_base64(disclosed->salt));
  return out + "\n" + proof.encode();
}

std::expected<Bundle, std::error_code> Bundle::parse(Bytes text) {
  const auto bad = std::unexpected(make_error_code(merkle::NoteError::bad_proof));
  if (text.size() > kBundleSizeMax || take_line(text, "") != kHeader) return bad;
  Bundle bundle;
  auto keys = take_base64(text, "keys ");
  auto leaf = keys ? take_base64(text, "leaf ") : std::nullopt;
  if (!leaf || leaf->size() != kLeafSize) return bad;
  bundle.keys = std::move(*keys);
  bundle.leaf = std::move(*leaf);
  if (text.starts_with("record ")) {
    auto record = take_base64(text, "record ");
    const auto salt_text = record ? take_line(text, "salt ") : std::nullopt;
    const auto salt = salt_text ? merkle::hash_from_base64(*salt_text) : std::nullopt;
    if (!salt) return bad;
    bundle.disclosed = Disclosed{std::move(*record), *salt};
  }
  if (take_line(text, "") != "") return bad;
  auto proof = merkle::InclusionProof::parse(text);
  if (!proof || proof->extra) return bad;
  bundle.proof = std::move(*proof);
  return bundle;
}

Report verify_bundle(Bytes text, const Anchors& anchors) {
  const auto bundle = Bundle::parse(text);
  if (bundle) return BundleCheck{*bundle, anchors}.run();
  Report report;
  report.unreadable.push_back("this is not a bundle (docs/formats/bundle.md), or it is damaged");
  return report;
}

}  // namespace chancery::verify
