#pragma once
// The sensor's line of work, for one thread: frame → packet → flow → name → reading → summary. It owns no file or
// socket; who drives it brings the frames.
#include <functional>
#include <memory>

#include "sensor/capture/frame.h"
#include "sensor/classify/classifier.h"
#include "sensor/flow/flow_table.h"
#include "sensor/flow/flow_watcher.h"
#include "sensor/packet/decap.h"
#include "sensor/read/reading.h"
#include "sensor/report/summary.h"

namespace chancery::sensor {

class Sensor final : private FlowSink, private Observer {
 public:
  struct Options {
    FlowLimits flows;
    FragmentLimits fragments;
    Summary::Options summary;
    ReadOptions read;
    Observer* also = nullptr;  // told what the summary is told; borrowed
  };
  // `classifier` may be null: then nothing is named or read.
  Sensor(const Options& options, std::unique_ptr<Classifier> classifier);
  ~Sensor() override;

  void watch(FlowWatcher& watcher) { watchers_.push_back(&watcher); }  // borrowed; before the first frame

  void frame(const Frame& frame);
  void tick(Instant now) { flows_.tick(now); }  // live: from time to time, so that silent flows end
  void finish();                                // no more frames: ends all flows

  Summary& summary() { return summary_; }
  std::size_t memory() const { return flows_.memory() + decapsulator_.memory(); }

 private:
  void packet(const Flow& flow, const Packet& packet, Side from) override;
  std::unique_ptr<FlowReader> named(Flow& flow, const Named& named) override;
  void ended(const Flow& flow) override;
  void message(const SeenMessage& message) override;
  void event(const SeenEvent& event) override;
  void credential(const SeenCredential& credential) override;
  void url(const SeenUrl& url) override;

  Observer* const also_;
  Summary summary_;
  std::vector<FlowWatcher*> watchers_;
  Reading reading_;
  std::unique_ptr<Classifier> classifier_;
  Decapsulator decapsulator_;
  FlowTable flows_;
};

}  // namespace chancery::sensor
