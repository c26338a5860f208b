#include <algorithm>

#include "codec/xmpp/events.h"
#include "codec/xmpp/names.h"

namespace chancery::xmpp {
namespace {

std::string_view kind_of_password(const xml::Element& password) {
  if (password.ns() == ns::kRegister) return "registration";
  if (password.ns() == ns::kIqAuth) return "sasl";
  return "room-password";
}

void mask(xml::Span span, std::string_view what, Unit& unit) {
  if (span.size() > 0) unit.secrets.push_back({span.begin, span.end, std::string{what}});
}

// XEP-0004 §3.3: a field of type text-private is obscured on screens; some forms forget the type.
bool is_private_field(const xml::Element& field) {
  const std::string_view var = field.attribute("var");
  return field.attribute("type") == "text-private" || var.find("password") != std::string_view::npos ||
         var.find("secret") != std::string_view::npos;
}

// Returns whether the element's inside is covered.
bool mask_element(const xml::Element& element, Unit& unit) {
  const std::string_view name = element.name();
  if (name == "password" || (name == "digest" && element.ns() == ns::kIqAuth)) {
    mask(element.inner(), kind_of_password(element), unit);
    return true;
  }
  if (element.is("field", ns::kDataForm) && is_private_field(element)) {
    for (const xml::Element value : element.children()) mask(value.inner(), "room-password", unit);
    return true;
  }
  if (element.is("header", ns::kUpload)) {  // XEP-0363 §7: Authorization and Cookie of an upload slot
    mask(element.inner(), "upload", unit);
    return true;
  }
  return false;
}

void search(const xml::Element& element, Unit& unit) {
  if (const xml::Attribute attribute = element.find_attribute("password"))  // XEP-0249, XEP-0215
    mask(attribute.value_wire(), "room-password", unit);
  if (mask_element(element, unit)) return;
  for (const xml::Element child : element.children()) search(child, unit);
}

}  // namespace

void find_secrets(const xml::Element& stanza, Unit& unit) {
  // By the tree and not by words in the wire: a name may have a prefix, a value may have references.
  search(stanza, unit);
  std::ranges::sort(unit.secrets, {}, &Secret::wire_begin);
}

}  // namespace chancery::xmpp
