#include "sensor/capture/live.h"

#include <algorithm>
#include <fmt/format.h>
#include <pcap/pcap.h>

namespace chancery::sensor {
namespace {

constexpr int kTimeoutMs = 5;  // a block of the ring that is not full is handed over then: resets must win a race
constexpr int kBatch = 4'096;    // frames of one read

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string what_to_do(const std::string& interface, int status, const char* detail) {
  switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return fmt::format("There is no interface {}; there are: {}.", interface, joined(interface_names()));
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return fmt::format(
          "Capturing on {} needs the right CAP_NET_RAW: run it as root (rights are dropped once the socket "
          "is open), or give the program that right: setcap cap_net_raw+ep PROGRAM.",
          interface);
    case PCAP_ERROR_IFACE_NOT_UP:
      return fmt::format("The interface {0} is down: ip link set {0} up.", interface);
    default:
      return fmt::format("{} cannot be captured on: {}.", interface,
                         detail != nullptr && *detail != '\0' ? detail : pcap_statustostr(status));
  }
}

}  // namespace

struct LiveCapture::Handle {
  pcap_t* pcap = nullptr;
  std::string interface;
  ~Handle() {
    if (pcap != nullptr) pcap_close(pcap);
  }
};

LiveCapture::LiveCapture(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
LiveCapture::~LiveCapture() = default;
LiveCapture::LiveCapture(LiveCapture&&) noexcept = default;
LiveCapture& LiveCapture::operator=(LiveCapture&&) noexcept = default;

std::expected<LiveCapture, std::string> LiveCapture::open(const LiveOptions& options) {
  char error[PCAP_ERRBUF_SIZE] = "";
  auto handle = std::make_unique<Handle>();
  handle->interface = options.interface;
  handle->pcap = pcap_create(options.interface.c_str(), error);
  if (handle->pcap == nullptr) return std::unexpected(what_to_do(options.interface, PCAP_ERROR, error));
  pcap_set_snaplen(handle->pcap, static_cast<int>(options.snap_length));
  pcap_set_buffer_size(handle->pcap, static_cast<int>(std::min<std::uint32_t>(options.ring_size, INT32_MAX)));
  pcap_set_promisc(handle->pcap, options.promiscuous && options.interface != "any" ? 1 : 0);
  pcap_set_timeout(handle->pcap, kTimeoutMs);
  pcap_set_tstamp_precision(handle->pcap, PCAP_TSTAMP_PRECISION_NANO);
  const int status = pcap_activate(handle->pcap);
  if (status < 0) return std::unexpected(what_to_do(options.interface, status, pcap_geterr(handle->pcap)));
  if (pcap_setnonblock(handle->pcap, 1, error) != 0)
    return std::unexpected(what_to_do(options.interface, PCAP_ERROR, error));
  return LiveCapture{std::move(handle)};
}

int LiveCapture::descriptor() const { return pcap_get_selectable_fd(handle_->pcap); }

std::expected<void, std::string> LiveCapture::read(const std::function<void(const Frame&)>& frame) {
  struct Context {
    const std::function<void(const Frame&)>& frame;
    std::uint32_t link_type;
    bool nanoseconds;
  } context{frame, static_cast<std::uint32_t>(pcap_datalink(handle_->pcap)),
            pcap_get_tstamp_precision(handle_->pcap) == PCAP_TSTAMP_PRECISION_NANO};
  const auto give = [](u_char* user, const pcap_pkthdr* header, const u_char* octets) {
    const auto& to = *reinterpret_cast<const Context*>(user);
    Frame made;
    made.octets = {reinterpret_cast<const char*>(octets), header->caplen};
    made.wire_length = std::max(header->len, header->caplen);
    made.link_type = to.link_type;
    made.time = from_unix_ns(header->ts.tv_sec * 1'000'000'000 + header->ts.tv_usec * (to.nanoseconds ? 1 : 1'000));
    to.frame(made);
  };
  const int status = pcap_dispatch(handle_->pcap, kBatch, give, reinterpret_cast<u_char*>(&context));
  if (status < 0) return std::unexpected(what_to_do(handle_->interface, status, pcap_geterr(handle_->pcap)));
  return {};
}

LiveCounts LiveCapture::counts() const {
  pcap_stat stat{};
  if (pcap_stats(handle_->pcap, &stat) != 0) return {};
  return {stat.ps_recv, stat.ps_drop, stat.ps_ifdrop};
}

std::vector<std::string> interface_names() {
  std::vector<std::string> names;
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t* all = nullptr;
  if (pcap_findalldevs(&all, error) != 0) return names;
  constexpr bpf_u_int32 kNetwork = PCAP_IF_UP;
  for (const pcap_if_t* each = all; each != nullptr; each = each->next)
    if ((each->flags & kNetwork) != 0 || std::string_view{each->name} == "any") names.emplace_back(each->name);
  pcap_freealldevs(all);
  return names;
}

}  // namespace chancery::sensor
