#pragma once
// Opening a gateway's archive, and what to do when that is refused.
#include "gateway/config.h"
#include "journal/keystore.h"
#include "journal/open.h"
#include "net/log.h"

namespace chancery::app::serve {

// Throws Failure with what is wrong and what would help. `keys`, `observer` and `log` must outlive the journal.
journal::Opened open_archive(const gateway::Config& config, journal::KeyStore& keys, journal::Observer& observer,
                             net::Log& log);

}  // namespace chancery::app::serve
