#include "archive/verify/bundle_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/utf8.h"

namespace chancery::verify {
namespace {

// Octets of strangers on somebody's terminal: control characters are blanks.
std::string shown(std::string_view text) {
  std::string out = to_utf8_lossy(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto octet = static_cast<unsigned char>(out[i]);
    const bool is_c1 = octet == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
    if (octet < ' ' || octet == 0x7f) out[i] = ' ';
    if (is_c1) out[i] = out[i + 1] = ' ';
  }
  return out;
}

std::string line(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("  {:<12} {}\n", name, shown(value));
}

std::string text_of(const Said& said) {
  std::string out = line("kind", said.kind) + line("from", said.from) +
                    line("to", fmt::format("{}", fmt::join(said.to, ", "))) + line("room", said.room) +
                    line("present", fmt::format("{}", fmt::join(said.present, ", ")));
  for (const auto& [role, text] : said.texts) out += line(role == "body" ? "text" : role, text);
  if (!said.seal.empty()) out += line("text", "encrypted end to end (" + said.seal + "); not known to the gateway");
  out += line("detail", said.detail);
  const std::string rule = said.rule.empty() ? "" : " by rule " + said.rule;
  return out + line("verdict", said.verdict + rule) +
         line("over", said.network.empty() ? said.protocol : said.protocol + ", network " + said.network);
}

std::string text_of(const Signer& signer) {
  const std::string who = signer.key.empty() ? signer.name : signer.key;
  if (signer.is_anchor) return who + " (given by you: valid)";
  return who + (signer.key.empty() ? " (its key was not given: not checked)"
                                   : " (named by the bundle itself: fits, no anchor)");
}

void put_time(JsonWriter& json, std::string_view name, const std::optional<Instant>& time) {
  json.key(name);
  time ? json.value(to_rfc3339(*time)) : json.null();
}

void put_strings(JsonWriter& json, std::string_view name, const std::vector<std::string>& values) {
  json.key(name).begin_array();
  for (const std::string& value : values) json.value(to_utf8_lossy(value));
  json.end_array();
}

void put(JsonWriter& json, const Said& said) {
  json.key("says").begin_object().member("kind", said.kind).member("time", to_rfc3339(said.time));
  json.member("protocol", to_utf8_lossy(said.protocol)).member("network", to_utf8_lossy(said.network));
  json.member("from", to_utf8_lossy(said.from));
  put_strings(json, "to", said.to);
  json.member("room", to_utf8_lossy(said.room));
  put_strings(json, "present", said.present);
  json.key("texts").begin_array();
  for (const auto& [role, text] : said.texts)
    json.begin_object().member("role", role).member("text", to_utf8_lossy(text)).end_object();
  json.end_array().member("detail", to_utf8_lossy(said.detail)).member("verdict", said.verdict);
  json.member("rule", to_utf8_lossy(said.rule)).end_object();
}

void put_signers(JsonWriter& json, std::string_view name, const std::vector<Signer>& signers) {
  json.key(name).begin_array();
  for (const Signer& signer : signers) {
    json.begin_object().member("name", signer.name).member("key", signer.key).member("anchor", signer.is_anchor);
    put_time(json, "time", signer.time);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string text_of(const BundleReport& bundle) {
  std::string out =
      fmt::format("record {}\n", bundle.record) + line("recorded at", to_rfc3339(bundle.time)) +
      line("conversation", fmt::format("{}, number {}", bundle.conversation, bundle.conversation_sequence));
  out += bundle.said ? text_of(*bundle.said) : line("says", "not disclosed: only that it exists, and since when");
  out += line("under", fmt::format("the checkpoint over {} records, signed at {}", bundle.tree_size,
                                   bundle.checkpoint_time ? to_rfc3339(*bundle.checkpoint_time) : "an unknown time"));
  for (const Signer& signer : bundle.signers) out += line("signed by", text_of(signer));
  for (const Signer& witness : bundle.witnesses)
    out += line("cosigned by",
                text_of(witness) + (witness.time && witness.is_anchor ? " at " + to_rfc3339(*witness.time) : ""));
  if (bundle.witnesses.empty()) out += line("cosigned by", "no witness");
  return out;
}

void put(JsonWriter& json, const BundleReport& bundle) {
  json.key("bundle").begin_object().member("record", bundle.record).member("time", to_rfc3339(bundle.time));
  json.member("conversation", bundle.conversation).member("sequence", bundle.conversation_sequence);
  if (bundle.said)
    put(json, *bundle.said);
  else
    json.key("says").null();
  json.member("tree_size", bundle.tree_size);
  put_time(json, "checkpoint_time", bundle.checkpoint_time);
  put_signers(json, "signers", bundle.signers);
  put_signers(json, "witnesses", bundle.witnesses);
  json.end_object();
}

std::string verdict_of(const BundleReport& bundle, bool is_anchored) {
  if (!is_anchored)
    return "CANNOT TELL: the bundle fits together, but nothing from outside it confirms its checkpoint. Give the "
           "public "
           "key of the log's signer (--key), a checkpoint that you hold (--since) or a witness's key (--witness).";
  const std::string when = bundle.checkpoint_time ? to_rfc3339(*bundle.checkpoint_time) : "an unknown time";
  return fmt::format(
      "All holds: this one record{} was in the log by {}, unchanged since. Nothing is said about other "
      "records.",
      bundle.said ? ", as shown," : "", when);
}

}  // namespace chancery::verify
