#include "sensor/capture/live_capture.h"

#include <cerrno>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

namespace chancery::sensor {
namespace {

std::string interface_names() {
  std::string names;
  pcap_if_t* all = nullptr;
  char error[PCAP_ERRBUF_SIZE];
  if (pcap_findalldevs(&all, error) != 0) return "";
  for (const pcap_if_t* device = all; device != nullptr; device = device->next)
    if ((device->flags & PCAP_IF_UP) != 0 && device->addresses != nullptr)
      names += fmt::format("{}{}", names.empty() ? "" : ", ", device->name);
  pcap_freealldevs(all);
  return names;
}

std::string explain(pcap_t* handle, int code, const std::string& interface) {
  if (code == PCAP_ERROR_NO_SUCH_DEVICE)
    return fmt::format("there is no interface '{}' to listen on; there are: {}", interface, interface_names());
  if (code == PCAP_ERROR_PERM_DENIED || code == PCAP_ERROR_PROMISC_PERM_DENIED)
    return fmt::format("listening on {} needs the right CAP_NET_RAW: start as root (it is dropped after opening), or give "
                       "the right to the service (AmbientCapabilities=CAP_NET_RAW)",
                       interface);
  if (code == PCAP_ERROR_IFACE_NOT_UP)
    return fmt::format("the interface {0} is down; `ip link set {0} up`", interface);
  return fmt::format("listening on {} failed: {}", interface,
                     code == PCAP_ERROR ? pcap_geterr(handle) : pcap_statustostr(code));
}

bool join_fanout(int descriptor, std::uint16_t group) {
  const int argument = group | (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG) << 16;
  return ::setsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &argument, sizeof argument) == 0;
}

}  // namespace

void LiveCapture::Close::operator()(pcap* handle) const { pcap_close(handle); }

std::expected<LiveCapture, std::string> LiveCapture::open(const Options& options) {
  LiveCapture capture{options.interface};
  char error[PCAP_ERRBUF_SIZE] = "";
  capture.handle_.reset(pcap_create(options.interface.c_str(), error));
  pcap_t* handle = capture.handle_.get();
  if (handle == nullptr) return std::unexpected(fmt::format("listening on {} failed: {}", options.interface, error));
  pcap_set_snaplen(handle, static_cast<int>(options.snap_length));
  pcap_set_promisc(handle, options.promiscuous ? 1 : 0);
  pcap_set_timeout(handle, static_cast<int>(options.hand_over.count()));
  pcap_set_buffer_size(handle, static_cast<int>(options.ring_size));
  pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
  if (const int code = pcap_activate(handle); code < 0) return std::unexpected(explain(handle, code, options.interface));
  if (pcap_setnonblock(handle, 1, error) != 0)
    return std::unexpected(fmt::format("listening on {} failed: {}", options.interface, error));
  capture.descriptor_ = pcap_get_selectable_fd(handle);
  capture.link_type_ = static_cast<std::uint32_t>(pcap_datalink_val_to_name(pcap_datalink(handle)) == nullptr
                                                      ? 0
                                                      : pcap_datalink(handle));
  if (options.fanout_group != 0 && !join_fanout(capture.descriptor_, options.fanout_group))
    return std::unexpected(fmt::format("{}: the frames cannot be shared among several threads: {}", options.interface,
                                       std::generic_category().message(errno)));
  return capture;
}

std::expected<std::size_t, std::string> LiveCapture::read(std::chrono::milliseconds patience,
                                                          const std::function<void(const Frame&)>& take) {
  pollfd wait{.fd = descriptor_, .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return 0;
  struct Target {
    const std::function<void(const Frame&)>& take;
    std::uint32_t link_type;
    std::size_t count = 0;
  } target{take, link_type_};
  const auto each = [](u_char* user, const pcap_pkthdr* header, const u_char* octets) {
    auto& to = *reinterpret_cast<Target*>(user);
    ++to.count;
    to.take({.octets = {reinterpret_cast<const char*>(octets), header->caplen},
             .wire_length = std::max(header->len, header->caplen),
             .link_type = to.link_type,
             // Nanoseconds were asked for: tv_usec holds them (pcap_set_tstamp_precision(3)).
             .time = from_unix_ns(header->ts.tv_sec * 1'000'000'000 + header->ts.tv_usec)});
  };
  const int code = pcap_dispatch(handle_.get(), kBatch, each, reinterpret_cast<u_char*>(&target));
  if (code < 0) return std::unexpected(fmt::format("{} cannot be read any more: {}", interface_, pcap_geterr(handle_.get())));
  return target.count;
}

LiveCapture::Drops LiveCapture::drops() {
  pcap_stat counts{};
  if (pcap_stats(handle_.get(), &counts) == 0) {
    // libpcap counts in 32 bits: what they moved since last time is added up.
    counted_.received += static_cast<std::uint32_t>(counts.ps_recv - static_cast<std::uint32_t>(counted_.received));
    counted_.ring_full += static_cast<std::uint32_t>(counts.ps_drop - static_cast<std::uint32_t>(counted_.ring_full));
    counted_.interface += static_cast<std::uint32_t>(counts.ps_ifdrop - static_cast<std::uint32_t>(counted_.interface));
  }
  return counted_;
}

}  // namespace chancery::sensor
