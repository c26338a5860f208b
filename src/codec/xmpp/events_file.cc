// Offers of files: stream initiation, in-band and SOCKS5 bytestreams, Jingle, upload slots, shared files.
#include <algorithm>
#include <charconv>

#include "codec/xmpp/events.h"
#include "codec/xmpp/names.h"
#include "codec/xmpp/texts.h"
#include "core/encoding.h"

namespace chancery::xmpp {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// XEP-0300 §2: base64; kept as "<algorithm>:<hex>".
std::string digest_of(const xml::Element& hash) {
  const auto octets = from_base64(hash.text());
  const std::string_view algorithm = hash.attribute("algo");
  if (!octets || algorithm.empty()) return {};
  return std::string{algorithm} + ':' + to_hex(*octets);
}

// <file/> as XEP-0234 and XEP-0446 have it: each property an element.
File described_file(const xml::Element& description, std::string_view method, Event& event) {
  File file;
  file.method = method;
  for (const xml::Element child : description.children()) {
    const std::string_view name = child.name();
    if (name == "name")
      file.name = child.text();
    else if (name == "size")
      file.size = number(child.text());
    else if (name == "media-type")
      file.media_type = child.text();
    else if (name == "hash" && file.digest.empty())
      file.digest = digest_of(child);
    else if (name == "desc")
      add_text(TextPart::Role::body, child, event);
  }
  return file;
}

xml::Element find_file(const xml::Element& element) {
  if (element.name() == "file") return element;
  for (const xml::Element child : element.children())
    if (const xml::Element found = find_file(child)) return found;
  return {};
}

// XEP-0096 §4: name and size are attributes.
void read_si(const xml::Element& si, Event& event) {
  const xml::Element offered = si.child("file", ns::kSiFile);
  if (!offered) return;
  File file;
  file.method = "si";
  file.name = offered.attribute("name");
  file.size = number(offered.attribute("size"));
  file.media_type = si.attribute("mime-type");
  if (const std::string_view md5 = offered.attribute("hash"); !md5.empty()) file.digest = "md5:" + std::string{md5};
  if (const xml::Element text = offered.child("desc", ns::kSiFile)) add_text(TextPart::Role::body, text, event);
  event.files.push_back(std::move(file));
}

// XEP-0166 §7.2: only these two actions offer something new; `session-accept` repeats it.
void read_jingle(const xml::Element& jingle, Event& event) {
  const std::string_view action = jingle.attribute("action");
  if (action != "session-initiate" && action != "content-add") return;
  for (const xml::Element content : jingle.children()) {
    for (const xml::Element description : content.children()) {
      if (description.name() != "description" || !description.ns().starts_with(ns::kJingleFilePrefix)) continue;
      event.files.push_back(described_file(find_file(description), "jingle", event));
    }
  }
}

// XEP-0363 §4; version 0.2 had elements instead of attributes.
void read_upload(const xml::Element& request, Event& event) {
  File file;
  file.method = "http-upload";
  if (request.ns() == ns::kUpload) {
    file.name = request.attribute("filename");
    file.size = number(request.attribute("size"));
    file.media_type = request.attribute("content-type");
  } else {
    file.name = request.child("filename", ns::kUploadOld).text();
    file.size = number(request.child("size", ns::kUploadOld).text());
    file.media_type = request.child("content-type", ns::kUploadOld).text();
  }
  event.files.push_back(std::move(file));
}

void read_oob(const xml::Element& query, Event& event) {
  File file;
  file.method = "oob";
  file.url = query.child("url", ns::kOobIq).text();
  if (const xml::Element text = query.child("desc", ns::kOobIq)) add_text(TextPart::Role::body, text, event);
  event.files.push_back(std::move(file));
}

// A transport that follows an offer by SI or Jingle is not a second offer.
bool is_offered(const Session& session, std::string_view id) {
  return std::ranges::find(session.transfers, id) != session.transfers.end();
}

void read_ibb(const Session& session, const xml::Element& open, Event& event) {
  if (is_offered(session, open.attribute("sid"))) return;
  File file;
  file.method = "ibb";
  event.files.push_back(std::move(file));
}

void read_bytestreams(const Session& session, const xml::Element& query, Event& event) {
  const xml::Element host = query.child("streamhost", ns::kBytestreams);
  if (!host || is_offered(session, query.attribute("sid"))) return;
  File file;
  file.method = "socks5";
  file.url.append(host.attribute("host")).append(":").append(host.attribute("port"));
  event.files.push_back(std::move(file));
}

void remember_transfers(Session& session, const xml::Element& payload) {
  const auto remember = [&](std::string_view id) {
    if (id.empty() || is_offered(session, id)) return;
    if (session.transfers.size() >= Session::kTransfersMax) session.transfers.erase(session.transfers.begin());
    session.transfers.emplace_back(id);
  };
  if (payload.ns() == ns::kSi) remember(payload.attribute("id"));
  if (payload.ns() != ns::kJingle) return;
  remember(payload.attribute("sid"));
  for (const xml::Element content : payload.children())
    for (const xml::Element transport : content.children())
      if (transport.name() == "transport") remember(transport.attribute("sid"));
}

}  // namespace

void read_iq_offers(Session& session, Side side, const xml::Element& iq, Unit& unit) {
  const bool set = iq.attribute("type") == "set";
  const xml::Element payload = iq.first_child();
  Event event;
  event.kind = Kind::file_offer;
  if (payload.is("request", ns::kUpload) || payload.is("request", ns::kUploadOld))
    read_upload(payload, event);
  else if (!set)
    return;
  else if (payload.is("si", ns::kSi))
    read_si(payload, event);
  else if (payload.is("jingle", ns::kJingle))
    read_jingle(payload, event);
  else if (payload.is("open", ns::kIbb))
    read_ibb(session, payload, event);
  else if (payload.is("query", ns::kBytestreams))
    read_bytestreams(session, payload, event);
  else if (payload.is("query", ns::kOobIq))
    read_oob(payload, event);
  if (event.files.empty()) return;
  remember_transfers(session, payload);
  set_parties(session, side, iq.attribute("from"), iq.attribute("to"), false, event);
  event.id = iq.attribute("id");
  unit.events.push_back(std::move(event));
}

void read_shared_files(const xml::Element& sharing, Event& event) {
  const xml::Element described = find_file(sharing);
  File file = described_file(described, "oob", event);
  // XEP-0103: where to get it.
  const auto find_url = [](const auto& self, const xml::Element& element) -> std::string {
    if (element.is("url-data", ns::kUrlData)) return std::string{element.attribute("target")};
    if (element.is("reference", "urn:xmpp:reference:0")) return std::string{element.attribute("uri")};
    for (const xml::Element child : element.children())
      if (std::string url = self(self, child); !url.empty()) return url;
    return {};
  };
  file.url = find_url(find_url, sharing);
  if (event.files.empty()) {
    event.files.push_back(std::move(file));
    return;
  }
  // The address is in the message already (XEP-0066): complete that entry.
  File& known = event.files.front();
  known.name = file.name;
  known.size = file.size;
  known.media_type = file.media_type;
  known.digest = file.digest;
}

}  // namespace chancery::xmpp
