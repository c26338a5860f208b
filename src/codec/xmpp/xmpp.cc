#include "codec/xmpp/xmpp.h"

#include <algorithm>
#include <array>

#include "codec/xmpp/jid.h"
#include "codec/xmpp/xmpp_codec.h"

namespace chancery::xmpp {
namespace {

constexpr std::array<std::uint16_t, 3> kPorts{5222, 5223, 443};

std::size_t string_memory(const std::string& s) { return s.capacity() > sizeof(std::string) / 2 ? s.capacity() : 0; }

// An opening tag of this protocol, or a stanza in the middle of a stream.
Likeness probe(Side, Bytes octets) {
  constexpr std::size_t kSearchMax = 2'048;
  constexpr Bytes kStreamNamespace = "http://etherx.jabber.org/streams";
  octets = octets.substr(0, kSearchMax);
  const auto begin = octets.find_first_not_of(" \t\r\n");
  if (begin == Bytes::npos) return octets.size() < kSearchMax ? Likeness::need_more : Likeness::no;
  octets.remove_prefix(begin);
  if (octets.find(kStreamNamespace) != Bytes::npos) return Likeness::yes;
  for (const Bytes tag : {"<message ", "<presence ", "<iq ", "<presence/>"}) {
    const auto at = octets.find(tag);
    if (at == Bytes::npos) continue;
    // Elsewhere these words are tags too: an address or a stanza's own type must be with them.
    const Bytes behind = octets.substr(at, octets.find('>', at) - at);
    const bool typed = behind.find(" to=") != Bytes::npos || behind.find(" from=") != Bytes::npos ||
                       behind.find(" type=") != Bytes::npos || behind.find(" id=") != Bytes::npos;
    if (typed || tag == "<presence/>") return Likeness::yes;
  }
  const bool xml = octets.starts_with("<") || std::string_view{"<?xml"}.starts_with(octets.substr(0, 5));
  return xml && octets.size() < kSearchMax ? Likeness::need_more : Likeness::no;
}

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<XmppCodec>(limits, start);
}

std::unique_ptr<Shared> make_shared(const Limits&) { return std::make_unique<ResumptionStore>(); }

}  // namespace

const Protocol kProtocol{
    .name = "xmpp", .ports = kPorts, .probe = probe, .make = make, .make_shared = make_shared, .starttls = true};

std::string Session::claimed() const {
  if (sign_in == nullptr || sign_in->username.empty()) return {};
  const std::string& name = sign_in->username;
  return normal_bare(name.find('@') == std::string::npos ? name + '@' + host : name);
}

std::string Session::proven() const { return sign_in != nullptr && sign_in->authenticated ? claimed() : std::string{}; }

std::size_t Session::memory() const {
  std::size_t size = string_memory(own) + string_memory(own_full) + string_memory(host) + rooms->memory();
  if (sign_in) size += sizeof *sign_in + sign_in->mechanism.capacity() + sign_in->username.capacity();
  for (const ArchiveQuery& query : queries)
    size += sizeof query + query.iq_id.capacity() + query.query_id.capacity() + query.archive.capacity();
  for (const std::string& id : transfers) size += sizeof id + id.capacity();
  return size + sizeof *sent + sent->digests.capacity() * sizeof(std::uint64_t);
}

std::size_t XmppCodec::memory() const {
  return sizeof *this - 2 * sizeof(xml::Scanner) + client_.scanner.memory() + server_.scanner.memory() +
         session_.memory() + (managed_ ? sizeof(ManagedSession) + managed_->management.memory() : 0) +
         held_for_server_.capacity() + string_memory(client_host_) + string_memory(nonce_);
}

}  // namespace chancery::xmpp
