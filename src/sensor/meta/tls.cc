#include "sensor/meta/tls.h"

#include <algorithm>
#include <fmt/format.h>

#include "core/encoding.h"
#include "sensor/meta/certificate.h"
#include "sensor/meta/digest.h"
#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

// RFC 8446 §5.1, §4.
constexpr std::uint8_t kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kApplicationData = 23;
constexpr std::uint8_t kClientHello = 1, kServerHello = 2, kCertificate = 11, kServerHelloDone = 14;
constexpr std::uint16_t kServerName = 0, kSupportedGroups = 10, kPointFormats = 11, kAlpn = 16, kSupportedVersions = 43,
                        kEncryptedClientHello = 0xfe0d;
constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kRecordMax = 16'384 + 2'048;  // RFC 5246 §6.2.3
constexpr std::size_t kListMax = 256;               // items of a ciphers' or extensions' list

// RFC 8701.
bool is_grease(std::uint16_t value) { return (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff); }

bool is_record_header(Bytes stream) {
  const std::uint8_t type = octet(stream, 0);
  return type >= kChangeCipherSpec && type <= 24 && octet(stream, 1) == 3 && octet(stream, 2) <= 4 &&
         be16(stream, 3) <= kRecordMax && be16(stream, 3) > 0;
}

// The handshake octets of the records at the stream's begin, until something else comes. `ended`: something did.
Buffer gather_handshake(Bytes stream, bool& ended) {
  Buffer handshake;
  ended = false;
  while (stream.size() >= kRecordHeader && handshake.size() < kTlsHandshakeMax) {
    if (octet(stream, 0) != kHandshake || !is_record_header(stream)) {
      ended = true;
      break;
    }
    const std::size_t size = be16(stream, 3);
    handshake.append(stream.substr(kRecordHeader, size));
    if (stream.size() < kRecordHeader + size) break;
    stream.remove_prefix(kRecordHeader + size);
  }
  return handshake;
}

std::string ja3_list(const std::vector<std::uint16_t>& values) {
  std::string text;
  for (const std::uint16_t value : values) {
    if (!text.empty()) text.push_back('-');
    text += fmt::format("{}", value);
  }
  return text;
}

struct Ja3 {
  std::uint16_t version = 0;
  std::vector<std::uint16_t> ciphers, extensions, groups, formats;

  std::string digest() const {
    return to_hex(md5(fmt::format("{},{},{},{},{}", version, ja3_list(ciphers), ja3_list(extensions), ja3_list(groups),
                                  ja3_list(formats))));
  }
};

void read_server_name(Bytes data, ClientHello& out) {
  Reader list{Reader{data}.counted16()};
  while (list.left() > 3) {
    const std::uint8_t type = list.u8();
    const Bytes name = list.counted16();
    if (type == 0) {
      out.server_name = normal_host(name);
      // RFC 6066 §3 forbids addresses; those who send them all the same name nothing.
      if (out.server_name.find_first_not_of("0123456789.") == std::string::npos) out.server_name.clear();
      return;
    }
  }
}

void read_alpn(Bytes data, ClientHello& out) {
  constexpr std::size_t kProtocolsMax = 16;
  Reader list{Reader{data}.counted16()};
  while (list.left() > 0 && out.alpn.size() < kProtocolsMax) {
    const Bytes protocol = list.counted8();
    if (!list.ok()) return;
    out.alpn.emplace_back(protocol);
  }
}

void read_versions(Bytes data, ClientHello& out) {
  Reader list{Reader{data}.counted8()};
  while (list.left() >= 2)
    if (const std::uint16_t version = list.u16(); !is_grease(version)) out.version = std::max(out.version, version);
}

void read_extension(std::uint16_t type, Bytes data, ClientHello& out, Ja3& ja3) {
  if (!is_grease(type) && ja3.extensions.size() < kListMax) ja3.extensions.push_back(type);
  switch (type) {
    case kServerName:
      return read_server_name(data, out);
    case kAlpn:
      return read_alpn(data, out);
    case kSupportedVersions:
      return read_versions(data, out);
    case kEncryptedClientHello:
      out.encrypted_hello = true;
      return;
    case kSupportedGroups:
      for (Reader list{Reader{data}.counted16()}; list.left() >= 2 && ja3.groups.size() < kListMax;)
        if (const std::uint16_t group = list.u16(); !is_grease(group)) ja3.groups.push_back(group);
      return;
    case kPointFormats:
      for (Reader list{Reader{data}.counted8()}; list.left() >= 1 && ja3.formats.size() < kListMax;)
        ja3.formats.push_back(list.u8());
      return;
    default:
      return;
  }
}

// A certificate chain of TLS <= 1.2 (RFC 5246 §7.4.2): the first is the server's own.
void read_certificate(Bytes body, ServerFlight& out) {
  Reader chain{Reader{body}.counted24()};
  const Bytes first = chain.counted24();
  if (!chain.ok()) return;
  out.certificate_seen = true;
  out.certificate = certificate_names(first, kTlsNamesMax);
}

void read_server_hello(Bytes body, ServerFlight& out) {
  Reader reader{body};
  out.version = reader.u16();
  reader.take(32);
  reader.counted8();
  reader.u16();
  reader.u8();
  Reader extensions{reader.counted16()};
  while (extensions.left() >= 4) {
    const std::uint16_t type = extensions.u16();
    const Bytes data = extensions.counted16();
    if (!extensions.ok()) return;
    if (type == kSupportedVersions && data.size() == 2) out.version = be16(data, 0);
    if (type == kAlpn) out.alpn = Reader{Reader{data}.counted16()}.counted8();
  }
}

}  // namespace

std::string normal_host(Bytes name) {
  constexpr std::size_t kHostMax = 253;  // RFC 1035 §2.3.4
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kHostMax) return {};
  std::string host;
  host.reserve(name.size());
  for (const char c : name) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    const bool fine = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '-' || low == '_' ||
                      low == '.' || low == '*';
    if (!fine) return {};
    host.push_back(low);
  }
  return host;
}

Parsed parse_client_hello_message(Bytes message, ClientHello& out) {
  if (message.empty()) return Parsed::need_more;
  if (octet(message, 0) != kClientHello) return Parsed::no;
  if (message.size() < 4) return Parsed::need_more;
  const std::size_t size = Reader{message.substr(1)}.u24();
  if (size > kTlsHandshakeMax || size < 38) return Parsed::no;  // version, random, three empty lists
  if (message.size() < 4 + size) return Parsed::need_more;
  Reader reader{message.substr(4, size)};
  Ja3 ja3;
  out = {};
  ja3.version = out.version = reader.u16();
  reader.take(32);
  reader.counted8();
  Reader ciphers{reader.counted16()};
  reader.counted8();
  if (!reader.ok() || out.version >> 8 != 3) return Parsed::no;
  while (ciphers.left() >= 2 && ja3.ciphers.size() < kListMax)
    if (const std::uint16_t cipher = ciphers.u16(); !is_grease(cipher)) ja3.ciphers.push_back(cipher);
  Reader extensions{reader.left() >= 2 ? reader.counted16() : Bytes{}};
  while (extensions.left() >= 4) {
    const std::uint16_t type = extensions.u16();
    const Bytes data = extensions.counted16();
    if (!extensions.ok()) break;
    read_extension(type, data, out, ja3);
  }
  out.ja3 = ja3.digest();
  return Parsed::yes;
}

Parsed parse_client_hello(Bytes stream, ClientHello& out) {
  if (stream.empty()) return Parsed::need_more;
  if (octet(stream, 0) != kHandshake || (stream.size() > 1 && octet(stream, 1) != 3)) return Parsed::no;
  if (stream.size() < kRecordHeader + 1) return Parsed::need_more;
  if (!is_record_header(stream) || octet(stream, kRecordHeader) != kClientHello) return Parsed::no;
  bool ended = false;
  const Buffer handshake = gather_handshake(stream, ended);
  const Parsed parsed = parse_client_hello_message(handshake, out);
  return parsed == Parsed::need_more && ended ? Parsed::no : parsed;
}

Parsed parse_server_flight(Bytes stream, ServerFlight& out) {
  if (stream.empty()) return Parsed::need_more;
  if (octet(stream, 0) == kAlert && is_record_header(stream)) return Parsed::yes;
  if (octet(stream, 0) != kHandshake || (stream.size() > 1 && octet(stream, 1) != 3)) return Parsed::no;
  bool ended = false;
  const Buffer handshake = gather_handshake(stream, ended);
  Reader reader{handshake};
  out = {};
  while (reader.left() >= 4) {
    const std::uint8_t type = reader.u8();
    const Bytes body = reader.counted24();
    if (!reader.ok()) break;
    if (type == kServerHello) read_server_hello(body, out);
    if (type == kCertificate) read_certificate(body, out);
    if (type == kCertificate || type == kServerHelloDone || out.version == 0x0304) return Parsed::yes;
  }
  if (ended) return out.version != 0 ? Parsed::yes : Parsed::no;  // a resumed session: no certificate follows
  return Parsed::need_more;
}

bool is_tls_records(Bytes stream) {
  if (stream.size() < kRecordHeader || !is_record_header(stream)) return false;
  const std::size_t size = be16(stream, 3);
  if (octet(stream, 0) == kApplicationData && size < 17) return false;  // shorter than any cipher's tag
  if (stream.size() < kRecordHeader + size) return false;
  const Bytes next = stream.substr(kRecordHeader + size);
  return next.empty() || (next.size() < kRecordHeader ? octet(next, 0) >= kChangeCipherSpec && octet(next, 0) <= 24
                                                      : is_record_header(next));
}

}  // namespace chancery::sensor
