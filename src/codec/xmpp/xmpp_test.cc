#include "codec/xmpp/xmpp.h"

#include <gtest/gtest.h>

#include "codec/testing/check.h"

CHANCERY_TRANSCRIPTS(xmpp, chancery::xmpp::kProtocol, CHANCERY_TESTDATA);
