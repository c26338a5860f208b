// How a session begins: PROXY header, the client's direct TLS, the upstream, and then the codec.
#include "core/encoding.h"
#include "gateway/session.h"
#include "net/proxy_protocol.h"
#include "net/random.h"

namespace chancery::gateway {

void Session::start() {
  ++shop_.stats.accepted;
  if (!service_->config.proxy_protocol.in) return secure_client({});
  arm_clock();
}

void Session::read_preface(Bytes octets) {
  early_.append(octets);
  const auto header = net::parse_proxy_header(early_);
  if (!header) return client_failed(header.error());
  if (!*header) return;
  if ((*header)->client) peer_ = *(*header)->client;
  early_.erase(0, (*header)->size);
  const Buffer rest = std::exchange(early_, {});
  secure_client(rest);
}

// `received`: what came behind the PROXY header.
void Session::secure_client(Bytes received) {
  note(Kind::stream_open, peer_.to_string());
  opened_ = true;
  if (service_->config.tls == Tls::direct) {
    state_ = State::securing;
    client_->start_tls(*service_->client_side, net::Tls::Role::server, {}, received);
    return arm_clock();
  }
  early_.assign(received);
  dial();
}

void Session::make_codec() {
  std::array<std::uint8_t, 16> nonce{};
  net::fill_random(nonce.data(), nonce.size());
  Start start;
  start.client_tls = service_->config.tls;
  start.server_tls = service_->config.route.tls;
  start.client_host = service_->config.host;
  start.nonce = to_hex({reinterpret_cast<const char*>(nonce.data()), nonce.size()});
  start.record_presence = service_->config.record_presence;
  start.shared = service_->shared.get();
  chancery::Limits limits;
  limits.unit_size_max = shop_.limits.unit_size_bytes;
  codec_ = service_->protocol->make(limits, start);
}

// Only now, so that who never finishes a handshake costs the upstream nothing. The client is not read meanwhile.
void Session::dial() {
  make_codec();
  state_ = State::dialing;
  since_ = shop_.loop.wheel().now();
  client_->pause();
  const Address& target = service_->config.route.address;
  dial_ =
      std::make_unique<net::Dial>(shop_.loop, shop_.resolver, target.host, target.port, shop_.limits.connect_seconds,
                                  [this](std::expected<net::Fd, std::error_code> fd) { on_dialed(std::move(fd)); });
  arm_clock();
}

void Session::on_dialed(std::expected<net::Fd, std::error_code> dialed) {
  const auto self = shared_from_this();
  if (!dialed) return upstream_failed(dialed.error(), {});
  const int fd = dialed->get();
  server_ = std::make_unique<net::Stream>(shop_.loop, std::move(*dialed), *this, shop_.limits.send_queue_bytes_max);
  shop_.loop.dispose([dial = std::shared_ptr<net::Dial>(std::move(dial_))] {});
  if (service_->config.proxy_protocol.out)
    server_->write(net::make_proxy_header(peer_, net::Address::of_peer(fd).value_or(peer_)));
  if (service_->config.route.tls != Tls::direct) return open();
  server_->start_tls(*service_->server_side, net::Tls::Role::client, service_->config.route.server_name);
}

void Session::open() {
  if (auto& down = service_->upstream->down_since) {
    const Instant now = net::Loop::now();
    const std::string text = fmt::format("upstream {} answers again; it did not since {}",
                                         to_string(service_->config.route.address), to_rfc3339(*down));
    shop_.recorder.note_log(Kind::outage, text, now);
    shop_.log.info("upstream answers again", {{"listener", service_->config.name}});
    down.reset();
  }
  state_ = State::open;
  last_input_ = shop_.loop.wheel().now();
  shop_.outbox.clear();
  codec_->start(shop_.outbox);
  apply();
  client_->resume();
  arm_clock();
  if (const Buffer early = std::exchange(early_, {}); !early.empty()) feed(Side::client, early);
}

void Session::upstream_failed(std::error_code error, std::string_view detail) {
  ++shop_.stats.upstream_unreachable;
  auto& down = service_->upstream->down_since;
  if (!down) {
    down = net::Loop::now();
    const std::string why = detail.empty() ? error.message() : fmt::format("{}: {}", error.message(), detail);
    shop_.log.warning(
        "upstream unreachable",
        {{"listener", service_->config.name}, {"address", to_string(service_->config.route.address)}, {"why", why}});
    shop_.recorder.note_log(
        Kind::outage, fmt::format("upstream {} is unreachable: {}", to_string(service_->config.route.address), why),
        *down);
  }
  end(Codec::Ending::upstream_unreachable, error, "upstream unreachable");
}

}  // namespace chancery::gateway
