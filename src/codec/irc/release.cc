#include "codec/irc/release.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>

#include "codec/irc/line.h"
#include "codec/irc/reply.h"
#include "codec/irc/text.h"
#include "codec/irc/withheld.h"
#include "core/utf8.h"

namespace chancery::irc {
namespace {

// What becomes of a unit for one of its events. Events with the same share a line.
struct Fate {
  bool drop = false;
  std::vector<Edit> edits;
};

// Commands whose first parameter is a list with one event for each entry.
bool has_target_list(std::string_view command) {
  constexpr std::array<std::string_view, 7> kNames{"PRIVMSG",  "NOTICE",  "TAGMSG", "SQUERY",
                                                   "CPRIVMSG", "CNOTICE", "PART"};
  return std::ranges::find(kNames, command) != kNames.end();
}

// Leaving cannot be refused; what is said on leaving can. `line` up to the parameter before the reason stays.
std::optional<Edit> without_reason(const Line& line, std::string_view command, Side from) {
  if (command == "QUIT") return Edit{line.command_span().end, line.body_end(), {}};
  if (command == "PART") return Edit{line.param_span(0).end, line.body_end(), {}};
  if (command == "KICK" && from == Side::server) return Edit{line.param_span(1).end, line.body_end(), {}};
  return std::nullopt;
}

class Release {
 public:
  Release(const State& state, const Unit& unit, std::span<const Decision> decisions, Outbox& out)
      : state_(state),
        unit_(unit),
        decisions_(decisions),
        out_(out),
        line_(unit.wire),
        command_(line_.upper_command()) {}

  void run() {
    const bool passes = std::ranges::all_of(
        decisions_, [](const Decision& d) { return d.verdict == Verdict::forward || d.verdict == Verdict::flag; });
    if (passes && unit_.action == 0) return out_.send(other(unit_.from), unit_.wire);
    if (passes) return act();
    if (unit_.from == Side::client)
      client();
    else
      server();
    identify();
  }

 private:
  void act() {
    switch (static_cast<Action>(unit_.action)) {
      case Action::none:
        break;
      case Action::offer:
        return send_edited(withhold_capabilities(line_, line_.param_span(line_.param_count() - 1)));
      case Action::mechanisms:
        return send_edited(withhold_mechanisms(line_, line_.param_span(1)));
      case Action::request:
        return refuse_request();
      case Action::bounce:
        return out_.send(
            Side::client,
            notice_lines(state_, "The server asked to use another one instead; the gateway stays.", nullptr));
      case Action::starttls:
        return answer(numeric_line(state_, "691", "", "STARTTLS failed: not offered here"));
      case Action::bad_mechanism:
        return answer(
            numeric_line(state_, "904", "", "SASL authentication failed: this mechanism cannot pass the gateway"));
      case Action::welcome:
      case Action::renamed:
        out_.send(Side::client, unit_.wire);
        return identify();
    }
  }

  void identify() {
    const auto action = static_cast<Action>(unit_.action);
    if (action == Action::welcome) out_.identified(unit_.events.front().from);
    if (action == Action::renamed) out_.identified(unit_.events.front().detail);
  }

  void answer(std::string text) {
    const Bytes label = client_label();
    out_.send(Side::client, (label.empty() ? "" : fmt::format("@label={} ", label)) + text);
  }

  // CAP REQ is granted or refused as a whole (capability negotiation, "CAP REQ").
  void refuse_request() {
    const Bytes list = line_.text({line_.param_span(1).begin, line_.body_end()});
    const Bytes nick = state_.registered ? Bytes{state_.nick} : Bytes{"*"};
    answer(fmt::format(":{} CAP {} NAK :{}\r\n", state_.gateway, nick, list));
  }

  void send_edited(std::vector<Edit> edits) { out_.send(other(unit_.from), apply_edits(unit_.wire, std::move(edits))); }

  Fate fate_of(std::size_t event) const {
    const Decision& decision = decisions_[event];
    if (decision.verdict == Verdict::refuse || decision.verdict == Verdict::hold) {
      if (auto edit = without_reason(line_, command_, unit_.from)) return {false, {std::move(*edit)}};
      return {true, {}};
    }
    Fate fate;
    if (decision.verdict != Verdict::redact) return fate;
    const Event& of = unit_.events[event];
    for (std::uint32_t part = 0; part < of.texts.size(); ++part) {
      auto edits = mask_edits(of.texts[part], part, decision.masks, unit_.wire);
      std::ranges::move(edits, std::back_inserter(fate.edits));
    }
    return fate;
  }

  // A server's line is for one receiver, our client: it comes, is masked, or does not come.
  void server() {
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < decisions_.size(); ++i) {
      Fate fate = fate_of(i);
      if (fate.drop) return;
      std::ranges::move(fate.edits, std::back_inserter(edits));
    }
    send_edited(std::move(edits));
  }

  void client() {
    std::vector<Fate> fates;
    for (std::size_t i = 0; i < decisions_.size(); ++i) fates.push_back(fate_of(i));
    const std::vector<Span> targets =
        has_target_list(command_) ? split_list(line_, line_.param_span(0)) : std::vector<Span>{};
    const bool by_target = targets.size() == fates.size();
    const bool any_dropped = std::ranges::any_of(fates, &Fate::drop);
    bool sent = false;
    if (by_target)
      sent = send_by_target(targets, fates);
    else if (!any_dropped)
      sent = send_merged(fates);
    tell(sent);
  }

  bool send_merged(std::vector<Fate>& fates) {
    std::vector<Edit> edits;
    for (Fate& fate : fates) std::ranges::move(fate.edits, std::back_inserter(edits));
    send_edited(std::move(edits));
    return true;
  }

  // One line for all targets of the same fate, in the order of their first.
  bool send_by_target(const std::vector<Span>& targets, const std::vector<Fate>& fates) {
    std::vector<bool> done(fates.size());
    bool sent = false;
    for (std::size_t i = 0; i < fates.size(); ++i) {
      if (done[i] || fates[i].drop) continue;
      std::string list;
      std::size_t members = 0;
      for (std::size_t j = i; j < fates.size(); ++j) {
        if (done[j] || fates[j].drop || fates[j].edits != fates[i].edits) continue;
        done[j] = true;
        ++members;
        list += (list.empty() ? "" : ",") + std::string{line_.text(targets[j])};
      }
      std::vector<Edit> edits = fates[i].edits;
      if (members != fates.size()) edits.push_back({line_.param_span(0).begin, line_.param_span(0).end, list});
      if (sent) remove_label(edits);
      send_edited(std::move(edits));
      sent = true;
    }
    return sent;
  }

  // A label asks for one answer (labeled-response): only the first of several lines keeps it.
  void remove_label(std::vector<Edit>& edits) const {
    const Span all = line_.tags_span();
    for (const Tag& tag : tags_of(line_)) {
      if (tag.key != "label") continue;
      if (tag.whole.end < all.end)
        edits.push_back({tag.whole.begin, tag.whole.end + 1, {}});  // with the ';' behind it
      else if (tag.whole.begin > all.begin)
        edits.push_back({tag.whole.begin - 1, tag.whole.end, {}});
      else
        edits.push_back({all.begin - 1, all.end, {}});  // with the '@': it was the only one
    }
  }

  Bytes client_label() const {
    Bytes label;
    if (!state_.has(Cap::labeled_response)) return label;
    for (const Tag& tag : tags_of(line_))
      if (tag.key == "label") label = line_.text(tag.value);
    return label;
  }

  void tell(bool sent) {
    Bytes label = sent ? Bytes{} : client_label();  // what was sent is answered by the server
    for (std::size_t i = 0; i < decisions_.size(); ++i) {
      const Decision& decision = decisions_[i];
      const bool refused = decision.verdict == Verdict::refuse;
      const bool held = decision.verdict == Verdict::hold && !decision.notice.empty();
      if (!refused && !held) continue;
      out_.send(Side::client, refusal_line(state_, line_, unit_.events[i], decision.notice, label));
      label = {};
    }
  }

  const State& state_;
  const Unit& unit_;
  const std::span<const Decision> decisions_;
  Outbox& out_;
  const Line line_;
  const std::string command_;
};

// The longest beginning of `text` that fits in `most` octets, cut at a space if there is one, else between characters.
std::size_t line_length(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text.size();
  if (const std::size_t space = text.rfind(' ', most); space != std::string_view::npos && space > 0) return space;
  std::size_t end = most;
  while (end > 1 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return end;
}

}  // namespace

void release_unit(const State& state, const Unit& unit, std::span<const Decision> decisions, Outbox& out) {
  Release{state, unit, decisions, out}.run();
}

std::string notice_lines(const State& state, std::string_view text, const Event* about) {
  constexpr std::size_t kTextMax = 350;  // leaves room for names in a line of 512
  const bool in_room = about && about->scope == Scope::room && about->room.find(' ') == std::string::npos;
  const std::string_view target = in_room ? about->room : state.nick.empty() ? std::string_view{"*"} : state.nick;
  const std::string readable = to_utf8_lossy(text);
  std::string lines;
  for (std::string_view rest = readable; !rest.empty();) {
    std::string_view paragraph = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(paragraph.size() + 1, rest.size()));
    while (!paragraph.empty()) {
      const std::size_t size = line_length(paragraph, kTextMax);
      lines += fmt::format(":{} NOTICE {} :{}\r\n", state.gateway, target, one_line(paragraph.substr(0, size), 0));
      paragraph.remove_prefix(size);
      paragraph.remove_prefix(std::min(paragraph.find_first_not_of(' '), paragraph.size()));
    }
  }
  return lines;
}

}  // namespace chancery::irc
