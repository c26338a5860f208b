#include "sensor/sensor.h"

namespace chancery::sensor {

Sensor::Sensor(const Options& options, std::unique_ptr<Classifier> classifier)
    : summary_(options.summary),
      classifier_(std::move(classifier)),
      decapsulator_(summary_.skipped(), options.fragments),
      flows_(options.flows, classifier_.get(), *this, summary_.skipped()) {}

Sensor::~Sensor() = default;

void Sensor::frame(const Frame& frame) {
  summary_.frame(frame.time, frame.wire_length);
  Packet packet;
  if (decapsulator_.read(frame, packet)) flows_.packet(packet);
}

void Sensor::finish() {
  decapsulator_.finish();
  flows_.finish();
}

void Sensor::packet(const Flow& flow, const Packet& packet, Side /*from*/) { summary_.packet(flow, packet); }

std::unique_ptr<FlowReader> Sensor::named(Flow& flow, const Named& named) {
  flow.name->application = summary_.application(named.application, named.category);
  summary_.named(flow);
  return nullptr;
}

void Sensor::ended(const Flow& flow) { summary_.ended(flow); }

}  // namespace chancery::sensor
