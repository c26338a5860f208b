#pragma once
// What a capture showed, added up: the answer of `chancery detect`. Memory is bounded however long the capture is: sums
// by application, at most kHostsMax addresses of each, a fixed number of steps of time, and rows in a Spool.
#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/time.h"
#include "sensor/classify/classifier.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"
#include "sensor/packet/skip.h"
#include "sensor/read/observer.h"
#include "sensor/report/spool.h"
#include "sensor/report/timeline.h"

namespace chancery::sensor {

inline constexpr std::size_t kHostsMax = 65'536;        // of one application; then its count is a lower bound
inline constexpr std::size_t kApplicationsMax = 4'096;  // then later ones are put under "(others)"

struct AddressHash {
  std::size_t operator()(const Address& address) const noexcept;
};

struct ApplicationSum {
  std::string name;
  Category category = Category::other;
  std::uint64_t flows = 0, packets = 0;
  std::uint64_t bytes_up = 0, bytes_down = 0;      // from the client, from the server
  std::uint64_t managed = 0;                       // flows of the gateway's own
  std::unordered_set<Address, AddressHash> hosts;  // of clients
  std::map<std::string, std::uint64_t>
      servers;  // bytes by the name (else address) of the server; not for `other`; the first kServersMax

  std::uint64_t bytes() const { return bytes_up + bytes_down; }
};
inline constexpr std::size_t kServersMax = 256;

// How much went by under what cover.
struct CoverSum {
  std::uint64_t flows = 0, bytes = 0;
};

class Summary {
 public:
  struct Options {
    bool flows = true, messages = true, urls = true;  // keep rows
    std::vector<Endpoint> gateways;                   // flows to or from these are managed; port 0: any
  };
  explicit Summary(Options options);

  void frame(Instant time, std::uint32_t wire_length);
  // Its number, from 1. What was taken for telephony becomes a messenger when `im` is said of it later: the begin of a
  // SIP dialogue does not tell yet.
  std::uint16_t application(std::string_view name, Category category);
  void packet(const Flow& flow, const Packet& packet);
  void named(const Flow& flow);  // adds to the timeline what was counted before
  void ended(const Flow& flow);
  void message(const SeenMessage& message);
  void credential(const SeenCredential& credential);
  void url(const SeenUrl& url);

  void set_dropped(std::uint64_t packets) { dropped_ = packets; }  // live: by kernel and interface

  std::uint64_t packets() const { return packets_; }
  std::optional<std::uint64_t> dropped() const { return dropped_; }
  std::uint64_t bytes() const { return bytes_; }
  std::optional<Instant> first() const { return packets_ > 0 ? std::optional{first_} : std::nullopt; }
  std::optional<Instant> last() const { return packets_ > 0 ? std::optional{last_} : std::nullopt; }
  // [0] is what could not be named.
  const std::vector<ApplicationSum>& applications() const { return applications_; }
  const Timeline& timeline() const { return timeline_; }
  const std::array<CoverSum, 4>& covers() const { return covers_; }  // by Cover, named flows only
  SkipCounts& skipped() { return skipped_; }
  const SkipCounts& skipped() const { return skipped_; }
  std::uint64_t messages_seen() const { return messages_seen_; }  // once each, whichever legs were seen
  std::uint64_t message_legs() const { return legs_seen_; }
  bool is_managed(const Flow& flow) const;
  std::uint64_t credentials_seen() const { return credentials_.rows(); }

  // The document of docs/guide/sensor.md. The error is a sentence.
  std::expected<void, std::string> write_json(const std::function<void(std::string_view)>& piece);

 private:
  static void add_server(ApplicationSum& sum, const Flow& flow);
  void write_applications(std::string& out) const;
  void write_rest(std::string& out) const;

  const Options options_;
  std::uint64_t packets_ = 0, bytes_ = 0;
  std::optional<std::uint64_t> dropped_;
  Instant first_, last_;
  std::vector<ApplicationSum> applications_;
  std::map<std::string, std::uint16_t, std::less<>> numbers_;
  Timeline timeline_;
  std::array<CoverSum, 4> covers_{};
  SkipCounts skipped_;
  Spool flows_, messages_, credentials_, urls_;
  std::uint64_t messages_seen_ = 0, legs_seen_ = 0;
};

}  // namespace chancery::sensor
