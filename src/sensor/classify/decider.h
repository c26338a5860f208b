#pragma once
// The classifier: what is most certain is asked first.
//   1. the payload itself: our probes and the codecs' (probe.h), IM inside HTTP (http_probe.h), through SOCKS and
//   CONNECT
//   2. a name that the flow shows: TLS and QUIC server name, ALPN, certificate, HTTP host, against the host list
//   3. nDPI's reading of the payload (ndpi.h)
//   4. what other flows taught: the address was the answer for a listed name; the socket spoke or was announced
//   5. the owner of the network, where the list says that it runs nothing else
// A port alone is never evidence. One decider serves one thread.
#include <memory>

#include "sensor/classify/classifier.h"
#include "sensor/classify/hosts.h"
#include "sensor/classify/learned.h"

namespace chancery::sensor {

struct DeciderOptions {
  const Hosts* hosts = &Hosts::standard();  // borrowed; must outlive the classifier
  LearnedLimits learned;
  bool ndpi = true;  // without it, what only nDPI knows stays unnamed
};

std::unique_ptr<Classifier> make_decider(const DeciderOptions& options);

}  // namespace chancery::sensor
