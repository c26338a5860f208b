#pragma once
// What an operator says about one gateway process: plain data, already checked. Made from YAML by config/load.h, which
// fills every default, turns relative paths into absolute ones (from the folder of the file) and checks each range, so
// that the gateway can take a value as it is. One key of the file is one member here, spelled alike; the operator's
// text is docs/guide/configuration.md, the schema docs/formats/gateway.schema.json.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"

namespace chancery::gateway {

// "host:port", "[v6]:port". For listening, `host` is a literal address; port 0 lets the system choose (tests).
struct Address {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
};
std::string to_string(const Address& address);

using Tls = Start::Tls;  // none | starttls | direct

// Whose certificate a listener shows. `minted` (made on the fly under a private CA) will be the second source.
struct Certificate {
  enum class Source : std::uint8_t { file };
  Source source = Source::file;
  std::filesystem::path chain;  // PEM, leaf first
  std::filesystem::path key;    // PEM, not encrypted; must belong to the leaf
  bool operator==(const Certificate&) const = default;
};

// Where a listener's clients are led.
struct Route {
  enum class To : std::uint8_t { fixed };  // `from_client` comes with SOCKS5, CONNECT and transparent listeners
  std::string network;  // what records call this network; default: the verified server_name, else the listener's name
  To to = To::fixed;
  Address address;
  Tls tls = Tls::none;
  std::filesystem::path ca;  // PEM bundle; empty: the system's
  std::string server_name;   // SNI and the name that the certificate must carry; default: `address.host`
  bool verify = true;        // false is for tests: anybody could be the upstream
  bool operator==(const Route&) const = default;
};

// What happens to a client when the journal cannot write (docs/guide/configuration.md).
enum class OnJournalFailure : std::uint8_t {
  refuse,             // nothing passes that is not on the record
  forward_and_alarm,  // traffic passes unrecorded; alarm to syslog and counters, and a record once that is possible
};

// PROXY protocol version 2. `in`: every connection must begin with the header, so the address must be reachable for
// the load balancer only. `out`: the upstream is told the client's address.
struct ProxyProtocol {
  bool in = false;
  bool out = false;
  bool operator==(const ProxyProtocol&) const = default;
};

struct Listener {
  enum class Target : std::uint8_t { direct };  // how a client's target is found; later: socks5, connect, transparent
  std::string name;                             // unique; [a-z0-9][a-z0-9-]*
  std::string protocol;                         // a name that the codec registry knows
  Address address;
  std::string host;  // the name clients know this listener by (Start::client_host); default: the route's server_name
  Tls tls = Tls::none;
  Certificate certificate;  // set unless `tls` is none
  Target target = Target::direct;
  OnJournalFailure on_journal_failure = OnJournalFailure::refuse;
  ProxyProtocol proxy_protocol;
  bool record_presence = false;
  Route route;
  bool operator==(const Listener&) const = default;
};

// Who signs checkpoints. Exactly one of the two is set.
struct Signer {
  std::filesystem::path key_file;  // C2SP signed-note private key, held in this process
  std::filesystem::path socket;    // of `chancery signer`, which alone holds the key
  bool operator==(const Signer&) const = default;
};

// A C2SP tlog-witness that is asked to cosign each published checkpoint.
struct Witness {
  std::string name;
  std::string url;
  std::string vkey;            // signed-note verifier key of its cosignatures
  std::filesystem::path ca{};  // PEM bundle for https; empty: the system's
  bool operator==(const Witness&) const = default;
};

enum class LogFormat : std::uint8_t {
  automatic,  // "auto": plain on a terminal, journald under systemd, else json
  plain,
  json,
  journald,
};

// Bounds of one process. Whoever runs into one gets the protocol's own error.
struct Limits {
  std::uint32_t connections_max = 20'000;
  std::uint32_t connections_per_address_max = 1'000;  // 0: no bound (all clients come through one NAT or balancer)
  std::chrono::seconds handshake_seconds{10};         // TLS and PROXY header, from accept
  std::chrono::seconds sign_in_seconds{60};           // from accept to a signed-in session
  std::chrono::seconds idle_seconds{3'600};           // without an octet from the client; 0: for ever
  std::chrono::seconds connect_seconds{10};           // to reach the upstream, TLS included
  std::chrono::seconds drain_seconds{10};             // after SIGTERM, for what is queued
  std::uint32_t rate_units_per_second = 200;          // of one session's client, sustained; 0: no bound
  std::uint32_t rate_burst_units = 2'000;             // what it may send at once before the rate holds
  std::uint32_t unit_size_bytes = 262'144;            // one stanza or line
  std::uint32_t pending_units_max = 1'024;  // of one direction, read but waiting for journal or answers; then no read
  std::uint32_t pending_bytes_max = 1U << 20;        // the same in octets
  std::uint32_t send_queue_bytes_max = 1U << 20;     // towards one peer; at it the other side is not read
  std::chrono::seconds send_stall_seconds{60};       // a peer that takes nothing for so long is cut off
  std::uint32_t journal_queue_records_max = 65'536;  // appended and not yet durable, whole process
  std::uint32_t journal_priority = 0;                // 0…20: −nice of the journal's threads; needs CAP_SYS_NICE
  std::uint32_t match_entries_max = 200'000;         // recorded messages remembered to tell later legs from new ones
  bool operator==(const Limits&) const = default;
};

struct Config {
  std::filesystem::path file;  // where this came from; empty in tests
  std::string site;            // [a-z0-9][a-z0-9.-]{0,62}: first part of the log's origin
  std::string node;            // the same alphabet: second part
  std::filesystem::path archive;
  std::filesystem::path index;  // default: archive + ".index"
  std::filesystem::path keys;   // default: archive + ".keys"
  std::filesystem::path state;  // default: archive + ".state"
  Signer signer;
  std::vector<Witness> witnesses;
  std::filesystem::path policy;  // empty: everything is forwarded and recorded
  Address metrics;               // Prometheus text over HTTP; empty host: none
  LogFormat log = LogFormat::automatic;
  std::chrono::seconds heartbeat_seconds{60};  // "the log was alive" records
  Limits limits;
  std::vector<Listener> listeners;  // at least one
  bool operator==(const Config&) const = default;
};

// The spelling in the file, also for logs and metrics.
std::string_view to_string(Tls tls);                  // "none", "starttls", "direct"
std::string_view to_string(OnJournalFailure answer);  // "refuse", "forward-and-alarm"
std::string_view to_string(LogFormat format);         // "auto", "plain", "json", "journald"

}  // namespace chancery::gateway
