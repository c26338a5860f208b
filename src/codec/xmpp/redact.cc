#include <algorithm>
#include <vector>

#include "codec/xmpp/payload.h"
#include "codec/xmpp/rewrite.h"
#include "codec/xmpp/texts.h"
#include "event/mask.h"

namespace chancery::xmpp {
namespace {

// `text`, which stands at `begin` in its part, with each masked character replaced by one mask character, so that
// offsets counted in characters (XEP-0372, XEP-0428) stay true.
std::string masked_run(std::string_view text, std::uint32_t begin, const std::vector<bool>& masked) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    std::size_t next = i + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0U) == 0x80U) ++next;
    bool hidden = false;
    for (std::size_t k = i; k < next; ++k) hidden = hidden || masked[begin + k];
    out.append(hidden ? std::string_view{&kMaskCharacter, 1} : text.substr(i, next - i));
    i = next;
  }
  return out;
}

class Redaction {
 public:
  explicit Redaction(const Unit& unit) : editor_(unit.wire) {}

  void apply(const Event& event, const Decision& decision) {
    std::vector<std::vector<bool>> hidden(event.texts.size());
    for (std::size_t i = 0; i < event.texts.size(); ++i) hidden[i].resize(event.texts[i].text.size());
    for (const Mask& mask : decision.masks) {
      if (mask.part >= hidden.size()) continue;
      auto& part = hidden[mask.part];
      for (std::size_t k = mask.begin; k < std::min<std::size_t>(mask.end, part.size()); ++k) part[k] = true;
    }
    for (std::size_t i = 0; i < event.texts.size(); ++i) apply(event.texts[i], hidden[i]);
  }

  // Goes down to where something was masked, and removes what stands beside it and could repeat it.
  void clean(const xml::Element& element) {
    for (const xml::Element child : element.children()) {
      const Payload payload = payload_of(child);
      const bool text = payload == Payload::body || payload == Payload::subject || payload == Payload::xhtml;
      if (text) {
        if (payload == Payload::xhtml && touches(child)) strip_attributes(child);
      } else if (touches(child)) {
        clean(child);
      } else if (!stays_when_masked(payload) && !is_empty(child)) {
        editor_.remove(child);
      }
    }
  }

  bool touched() const { return !spans_.empty(); }
  Buffer result() const { return editor_.apply(); }

 private:
  void apply(const TextPart& part, const std::vector<bool>& hidden) {
    for (const Segment& segment : part.segments) {
      bool any = false;
      for (std::uint32_t k = segment.text_begin; k < segment.text_end; ++k) any = any || hidden[k];
      if (!any) continue;
      const std::string_view text =
          std::string_view{part.text}.substr(segment.text_begin, segment.text_end - segment.text_begin);
      editor_.replace({segment.wire_begin, segment.wire_end},
                      xml::escape(masked_run(text, segment.text_begin, hidden)));
      spans_.push_back({segment.wire_begin, segment.wire_end});
    }
  }

  bool touches(const xml::Element& element) const {
    const xml::Span wire = element.wire();
    return std::ranges::any_of(spans_, [&](xml::Span s) { return s.begin >= wire.begin && s.end <= wire.end; });
  }

  static bool is_empty(const xml::Element& element) {
    return !element.first_child() && !has_text(element) && element.attribute_count() == 0;
  }

  // In XHTML, attributes can repeat what is read (alt, title, href, …); only the style stays.
  void strip_attributes(const xml::Element& element) {
    for (std::size_t i = 0; i < element.attribute_count(); ++i) {
      const xml::Attribute attribute = element.attribute_at(i);
      if (attribute.name() != "style" && attribute.name() != "lang") editor_.remove(attribute);
    }
    for (const xml::Element child : element.children()) strip_attributes(child);
  }

  xml::Editor editor_;
  std::vector<xml::Span> spans_;
};

}  // namespace

Buffer redacted(const Unit& unit, const xml::Element& stanza, std::span<const Decision> decisions) {
  Redaction redaction(unit);
  bool asked = false;
  for (std::size_t i = 0; i < unit.events.size() && i < decisions.size(); ++i) {
    if (decisions[i].verdict != Verdict::redact) continue;
    asked = true;
    redaction.apply(unit.events[i], decisions[i]);
  }
  if (asked && !redaction.touched()) return {};
  redaction.clean(stanza);
  return redaction.result();
}

}  // namespace chancery::xmpp
