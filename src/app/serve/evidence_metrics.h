#pragma once
// What becomes of records after they are durable, as Prometheus text: sealed, published, witnessed, indexed.
#include <string>
#include <vector>

#include "archive/indexer.h"
#include "archive/seal/sealer.h"

namespace chancery::app::serve {

std::string evidence_metrics(const seal::SealerStatus& sealer, const std::vector<seal::WitnessStatus>& witnesses,
                             const archive::IndexerStatus& index);

}  // namespace chancery::app::serve
