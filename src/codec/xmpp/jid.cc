#include "codec/xmpp/jid.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>
#include <utility>

namespace chancery::xmpp {
namespace {

// Both in one pass, as nearly all addresses are ASCII.
struct Ascii {
  std::string folded;
  bool is_all = true;
};

Ascii fold_ascii(std::string_view text) {
  Ascii ascii{std::string{text}};
  unsigned char bits = 0;
  for (char& c : ascii.folded) {
    bits |= static_cast<unsigned char>(c);
    c = static_cast<char>(c + (c >= 'A' && c <= 'Z' ? 'a' - 'A' : 0));
  }
  ascii.is_all = bits < 0x80;
  return ascii;
}

std::string fold(std::string_view text) {
  Ascii ascii = fold_ascii(text);
  if (ascii.is_all) return std::move(ascii.folded);
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* folder = icu::Normalizer2::getNFKCCasefoldInstance(error);
  if (U_FAILURE(error)) return std::move(ascii.folded);
  const auto source = icu::UnicodeString::fromUTF8(icu::StringPiece{text.data(), static_cast<int32_t>(text.size())});
  const icu::UnicodeString folded = folder->normalize(source, error);
  if (U_FAILURE(error)) return std::move(ascii.folded);
  std::string utf8;
  folded.toUTF8String(utf8);
  return utf8;
}

}  // namespace

// RFC 7622 §3.1: the resourcepart begins at the first '/', and the localpart ends at the first '@' before that.
std::string_view bare_part(std::string_view jid) { return jid.substr(0, jid.find('/')); }

std::string_view resource_part(std::string_view jid) {
  const auto slash = jid.find('/');
  return slash == std::string_view::npos ? std::string_view{} : jid.substr(slash + 1);
}

std::string_view local_part(std::string_view jid) {
  const std::string_view bare = bare_part(jid);
  const auto at = bare.find('@');
  return at == std::string_view::npos ? std::string_view{} : bare.substr(0, at);
}

std::string_view domain_part(std::string_view jid) {
  const std::string_view bare = bare_part(jid);
  const auto at = bare.find('@');
  return at == std::string_view::npos ? bare : bare.substr(at + 1);
}

std::string normal_bare(std::string_view jid) {
  std::string normal = fold(bare_part(jid));
  if (normal.ends_with('.')) normal.pop_back();  // RFC 7622 §3.2: the root label's dot is not part of the address
  return normal;
}

std::string normal_jid(std::string_view jid) {
  std::string normal = normal_bare(jid);
  const auto slash = jid.find('/');
  if (slash != std::string_view::npos) normal.append(jid.substr(slash));
  return normal;
}

}  // namespace chancery::xmpp
