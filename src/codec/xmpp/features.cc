#include "codec/xmpp/names.h"
#include "codec/xmpp/rewrite.h"

namespace chancery::xmpp {
namespace {

bool is_withheld(const xml::Element& feature) {
  return feature.is("starttls", ns::kTls) ||                 // TLS to the client is the gateway's own matter
         feature.is("compression", ns::kCompressFeature) ||  // what is compressed cannot be read
         feature.is("sasl-channel-binding", ns::kChannelBinding) ||
         feature.is("authentication", ns::kSasl2) ||  // carries bindings, resumption and bind inside
         feature.is("isr", ns::kInstantResumption);
}

}  // namespace

bool is_withheld_mechanism(std::string_view mechanism) {
  return mechanism == "EXTERNAL" || mechanism.ends_with("-PLUS");
}

Buffer rewritten_features(const xml::Element& features) {
  xml::Editor editor(features.source());
  for (const xml::Element feature : features.children()) {
    if (is_withheld(feature)) {
      editor.remove(feature);
    } else if (feature.is("mechanisms", ns::kSasl)) {
      for (const xml::Element mechanism : feature.children())
        if (is_withheld(mechanism) || is_withheld_mechanism(mechanism.text())) editor.remove(mechanism);
    }
  }
  return editor.apply();
}

}  // namespace chancery::xmpp
