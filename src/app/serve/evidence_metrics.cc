#include "app/serve/evidence_metrics.h"

#include <fmt/format.h>

namespace chancery::app::serve {
namespace {

std::string family(const char* name, const char* type, const char* help) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

std::string one(const char* name, const char* type, const char* help, std::uint64_t value) {
  return family(name, type, help) + fmt::format("{} {}\n", name, value);
}

// A key's name has no line breaks (merkle::is_key_name); the rest is escaped as the text format asks.
std::string label(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string of_witnesses(const char* name, const char* type, const char* help,
                         const std::vector<seal::WitnessStatus>& witnesses,
                         std::uint64_t seal::WitnessStatus::* value) {
  if (witnesses.empty()) return {};
  std::string out = family(name, type, help);
  for (const auto& witness : witnesses)
    out += fmt::format("{}{{witness=\"{}\"}} {}\n", name, label(witness.name), witness.*value);
  return out;
}

}  // namespace

std::string evidence_metrics(const seal::SealerStatus& sealer, const std::vector<seal::WitnessStatus>& witnesses,
                             const archive::IndexerStatus& index) {
  return one("chancery_sealed_size", "gauge", "Records in the Merkle tree.", sealer.sealed) +
         one("chancery_published_size", "gauge", "Records under a signed checkpoint.", sealer.published) +
         one("chancery_witnessed_size", "gauge", "Records under a checkpoint that a witness cosigned.",
             sealer.witnessed) +
         one("chancery_sealer_failed", "gauge", "1: sealing has stopped for good.", sealer.failed ? 1 : 0) +
         one("chancery_indexed_size", "gauge", "Records that searches find.", index.complete_to) +
         one("chancery_index_failed", "gauge", "1: the index does not get on; it tries again.", index.failed ? 1 : 0) +
         of_witnesses("chancery_witness_size", "gauge", "Records under the checkpoint that this witness cosigned last.",
                      witnesses, &seal::WitnessStatus::size) +
         of_witnesses("chancery_witness_cosigned_total", "counter", "Checkpoints that this witness cosigned.",
                      witnesses, &seal::WitnessStatus::cosigned) +
         of_witnesses("chancery_witness_failed_total", "counter", "Times that this witness gave no valid cosignature.",
                      witnesses, &seal::WitnessStatus::failed);
}

}  // namespace chancery::app::serve
