#include "sensor/classify/ndpi.h"

#include <algorithm>
#include <array>
#include <limits>
#include <ndpi_api.h>

namespace chancery::sensor {
namespace {

struct Known {
  std::uint16_t id;
  std::string_view application;
  Category category;
};

// What of nDPI's IM and P2P recognisers is taken: those that read the payload and raised no false alarm in the captures
// measured. Left out on purpose: Skype, Skype_Teams, Viber, IMO (single octets of small datagrams), Yahoo, QQ (mail),
// SIP (HTTP on port 5060), and all names that come from a host list: ours decides there.
constexpr std::array kTrusted = std::to_array<Known>({
    {NDPI_PROTOCOL_BITTORRENT, "BitTorrent", Category::p2p},
    {NDPI_PROTOCOL_GNUTELLA, "Gnutella", Category::p2p},
    {NDPI_PROTOCOL_EDONKEY, "eDonkey", Category::p2p},
    {NDPI_PROTOCOL_FASTTRACK, "FastTrack", Category::p2p},
    {NDPI_PROTOCOL_DIRECTCONNECT, "DirectConnect", Category::p2p},
    {NDPI_PROTOCOL_OPENFT, "OpenFT", Category::p2p},
    {NDPI_PROTOCOL_APPLEJUICE, "AppleJuice", Category::p2p},
    {NDPI_PROTOCOL_WHATSAPP, "WhatsApp", Category::im},
    {NDPI_PROTOCOL_JABBER, "Jabber", Category::im},
    {NDPI_PROTOCOL_IRC, "IRC", Category::im},
    {NDPI_PROTOCOL_TEAMSPEAK, "TeamSpeak", Category::voip},
    {NDPI_PROTOCOL_ZOOM, "Zoom", Category::voip},
    {NDPI_PROTOCOL_RTP, "RTP", Category::voip},
    {NDPI_PROTOCOL_RTCP, "RTCP", Category::voip},
    {NDPI_PROTOCOL_IAX, "IAX", Category::voip},
    {NDPI_PROTOCOL_MGCP, "MGCP", Category::voip},
    {NDPI_PROTOCOL_H323, "H323", Category::voip},
    {NDPI_PROTOCOL_SKINNY, "CiscoSkinny", Category::voip},
    {NDPI_PROTOCOL_MEGACO, "Megaco", Category::voip},
});

// Neither an IM nor a P2P name of these may come from here, under whatever category.
constexpr std::array<std::uint16_t, 37> kDistrusted{NDPI_PROTOCOL_SKYPE_CALL,
                                                    NDPI_PROTOCOL_SKYPE_TEAMS,
                                                    NDPI_PROTOCOL_VIBER,
                                                    NDPI_PROTOCOL_IMO,
                                                    NDPI_PROTOCOL_YAHOO,
                                                    NDPI_PROTOCOL_QQ,
                                                    NDPI_PROTOCOL_SIP,
                                                    NDPI_PROTOCOL_SIGNAL,
                                                    NDPI_PROTOCOL_SIGNAL_VOIP,
                                                    NDPI_PROTOCOL_DISCORD,
                                                    NDPI_PROTOCOL_SLACK,
                                                    NDPI_PROTOCOL_MSTEAMS,
                                                    NDPI_PROTOCOL_MESSENGER,
                                                    NDPI_PROTOCOL_TELEGRAM,
                                                    NDPI_PROTOCOL_KAKAOTALK,
                                                    NDPI_PROTOCOL_KAKAOTALK_VOICE,
                                                    NDPI_PROTOCOL_WECHAT,
                                                    NDPI_PROTOCOL_SNAPCHAT,
                                                    NDPI_PROTOCOL_HANGOUT_DUO,
                                                    NDPI_PROTOCOL_SNAPCHAT_CALL,
                                                    NDPI_PROTOCOL_FACEBOOK_VOIP,
                                                    NDPI_PROTOCOL_WHATSAPP_CALL,
                                                    NDPI_PROTOCOL_WHATSAPP_FILES,
                                                    NDPI_PROTOCOL_WEBEX,
                                                    NDPI_PROTOCOL_THUNDER,
                                                    NDPI_PROTOCOL_STEALTHNET,
                                                    NDPI_PROTOCOL_AIMINI,
                                                    NDPI_PROTOCOL_PPSTREAM,
                                                    NDPI_PROTOCOL_SOPCAST,
                                                    NDPI_PROTOCOL_QQLIVE,
                                                    NDPI_PROTOCOL_KONTIKI,
                                                    NDPI_PROTOCOL_ZATTOO,
                                                    NDPI_PROTOCOL_TVUPLAYER,
                                                    NDPI_PROTOCOL_INSTAGRAM,
                                                    NDPI_PROTOCOL_FACEBOOK,
                                                    NDPI_PROTOCOL_TRUPHONE,
                                                    NDPI_PROTOCOL_VHUA};

// What the decider reads better itself, or that only wraps something else: wait for more.
constexpr std::array<std::uint16_t, 8> kOurs{NDPI_PROTOCOL_UNKNOWN, NDPI_PROTOCOL_HTTP, NDPI_PROTOCOL_TLS,
                                             NDPI_PROTOCOL_QUIC,    NDPI_PROTOCOL_DNS,  NDPI_PROTOCOL_STUN,
                                             NDPI_PROTOCOL_DTLS,    NDPI_PROTOCOL_SOCKS};

bool is_in(std::span<const std::uint16_t> list, std::uint16_t id) { return std::ranges::find(list, id) != list.end(); }

const Known* trusted(std::uint16_t id) {
  const auto* at = std::ranges::find(kTrusted, id, &Known::id);
  return at == kTrusted.end() ? nullptr : &*at;
}

struct FreeModule {
  void operator()(ndpi_detection_module_struct* module) const { ndpi_exit_detection_module(module); }
};
struct FreeFlow {
  void operator()(ndpi_flow_struct* flow) const { ndpi_free_flow(flow); }
};

class FlowState final : public Ndpi::Flow {
 public:
  FlowState() : flow_(static_cast<ndpi_flow_struct*>(ndpi_flow_malloc(SIZEOF_FLOW_STRUCT))) {
    if (flow_) std::fill_n(reinterpret_cast<char*>(flow_.get()), SIZEOF_FLOW_STRUCT, '\0');
  }
  ndpi_flow_struct* get() { return flow_.get(); }

 private:
  std::unique_ptr<ndpi_flow_struct, FreeFlow> flow_;
};

class Library final : public Ndpi {
 public:
  explicit Library(ndpi_detection_module_struct* module) : module_(module) {}

  std::unique_ptr<Flow> flow() override { return std::make_unique<FlowState>(); }

  std::optional<Proposal> packet(Flow& flow, Bytes ip_packet, Instant now) override {
    constexpr std::size_t kSizeMax = std::numeric_limits<unsigned short>::max();
    ndpi_flow_struct* state = static_cast<FlowState&>(flow).get();
    if (state == nullptr || ip_packet.size() > kSizeMax || ip_packet.size() < 20) return std::nullopt;
    const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    const ndpi_protocol found = ndpi_detection_process_packet(
        module_.get(), state, reinterpret_cast<const unsigned char*>(ip_packet.data()),
        static_cast<unsigned short>(ip_packet.size()), static_cast<std::uint64_t>(std::max<std::int64_t>(now_ms, 0)));
    if (state->confidence != NDPI_CONFIDENCE_DPI && state->confidence != NDPI_CONFIDENCE_DPI_CACHE) return std::nullopt;
    return judge(found);
  }

 private:
  std::optional<Proposal> judge(const ndpi_protocol& found) {
    for (const std::uint16_t id : {found.app_protocol, found.master_protocol})
      if (const Known* known = trusted(id)) return Proposal{std::string{known->application}, known->category};
    for (const std::uint16_t id : {found.master_protocol, found.app_protocol}) {
      if (is_in(kOurs, id) || is_in(kDistrusted, id)) continue;
      // Names of hosts' owners (a provider is not a protocol) come with a carrier as master: the carrier is ours.
      if (id == found.app_protocol && is_in(kOurs, found.master_protocol) &&
          found.master_protocol != NDPI_PROTOCOL_UNKNOWN)
        continue;
      const char* name = ndpi_get_proto_name(module_.get(), id);
      if (name != nullptr) return Proposal{name, Category::other};
    }
    return std::nullopt;
  }

  std::unique_ptr<ndpi_detection_module_struct, FreeModule> module_;
};

}  // namespace

std::unique_ptr<Ndpi> Ndpi::open() {
  ndpi_detection_module_struct* module = ndpi_init_detection_module(ndpi_no_prefs);
  if (module == nullptr) return nullptr;
  auto library = std::make_unique<Library>(module);
  NDPI_PROTOCOL_BITMASK all;
  NDPI_BITMASK_SET_ALL(all);
  ndpi_set_protocol_detection_bitmask2(module, &all);
  ndpi_finalize_initialization(module);
  return library;
}

}  // namespace chancery::sensor
