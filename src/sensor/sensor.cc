#include "sensor/sensor.h"

#include "sensor/read/login_reader.h"

namespace chancery::sensor {

Sensor::Sensor(const Options& options, std::unique_ptr<Classifier> classifier)
    : also_(options.also),
      summary_(options.summary),
      reading_(*this, options.read),
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

void Sensor::packet(const Flow& flow, const Packet& packet, Side from) {
  summary_.packet(flow, packet);
  for (FlowWatcher* watcher : watchers_) watcher->packet(flow, packet, from);
}

std::unique_ptr<FlowReader> Sensor::named(Flow& flow, const Named& named) {
  flow.name->application = summary_.application(named.application, named.category);
  summary_.named(flow);
  for (FlowWatcher* watcher : watchers_) watcher->named(flow, named, summary_.is_managed(flow));
  return reading_.make(named.reader.empty() ? login_protocol_of(named.application) : named.reader, flow);
}

void Sensor::ended(const Flow& flow) {
  summary_.ended(flow);
  if (watchers_.empty()) return;
  const ApplicationSum& sum = summary_.applications()[flow.name ? flow.name->application : 0];
  for (FlowWatcher* watcher : watchers_)
    watcher->ended(flow, flow.name ? std::string_view{sum.name} : "", sum.category, summary_.is_managed(flow));
}

void Sensor::message(const SeenMessage& message) {
  if (message.protocol == "sip") summary_.application("SIP", Category::im);  // RFC 3428: no call's signalling alone
  summary_.message(message);
  if (also_ != nullptr) also_->message(message);
}

void Sensor::event(const SeenEvent& event) {
  if (also_ != nullptr) also_->event(event);
}

void Sensor::credential(const SeenCredential& credential) {
  summary_.credential(credential);
  if (also_ != nullptr) also_->credential(credential);
}

void Sensor::url(const SeenUrl& url) {
  summary_.url(url);
  if (also_ != nullptr) also_->url(url);
}

}  // namespace chancery::sensor
