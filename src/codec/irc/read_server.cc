// What a server's lines mean.
#include <algorithm>

#include "codec/irc/body.h"
#include "codec/irc/read.h"
#include "codec/irc/secrets.h"
#include "codec/irc/text.h"
#include "codec/irc/withheld.h"
#include "core/time.h"
#include "core/utf8.h"

namespace chancery::irc {
namespace {

// A line whose server-time is this much older than the newest one seen, and than our own time, is played back, batch or
// not (znc, InspIRCd's chanhistory to clients without batch). Two clocks, so that neither one that is slow nor one that
// is set back makes history of what is said now.
constexpr Duration kPlaybackAge = std::chrono::seconds{60};

bool is_numeric(std::string_view command) {
  return command.size() == 3 && command.find_first_not_of("0123456789") == std::string_view::npos;
}

class ServerReader {
 public:
  ServerReader(State& state, Unit& unit, const Line& line, std::string command, Instant now)
      : state_(state),
        now_(now),
        unit_(unit),
        line_(line),
        command_(std::move(command)),
        source_(nick_of(line.source())) {}

  void read() {
    read_stamp();
    if (state_.is_me(source_) && line_.source().find('!') != Bytes::npos) state_.mask = name_of(line_.source());
    if (is_numeric(command_))
      read_numeric();
    else if (copy_ == Copy::none || copy_ == Copy::echo)
      read_live();
    else
      read_copy();
    if (stated_) state_.server_clock = std::max(state_.server_clock, *stated_);
  }

 private:
  void read_stamp() {
    if (const auto time = tag_value(line_, tags_, "time")) stated_ = parse_rfc3339(*time);
    if (const auto batch = tag_value(line_, tags_, "batch"))
      for (const OpenBatch& open : state_.batches)
        if (open.reference == *batch) copy_ = open.copy;
    if (copy_ == Copy::none && stated_ && *stated_ + kPlaybackAge < std::min(state_.server_clock, now_))
      copy_ = Copy::delayed;
    // Without echo-message a server sends nobody his own words, but for what he says to himself; a bouncer does
    // (znc.in/self-message).
    const bool to_myself = state_.is_me(line_.param(0)) && !state_.has(Cap::echo_message);
    if (copy_ == Copy::none && state_.is_me(source_) && !to_myself) copy_ = Copy::echo;
  }

  Event& add(Kind kind, Bytes target) {
    Event& event = unit_.events.emplace_back();
    begin_event(state_, kind, source_, target, event);
    if (line_.source().size() > source_.size()) event.from_device = name_of(line_.source());
    event.copy = copy_;
    if (copy_ == Copy::archive || copy_ == Copy::delayed) event.present.clear();  // who is there now was not there then
    event.stated_time = stated_;
    if (auto id = tag_value(line_, tags_, "msgid")) event.id = std::move(*id);
    if (auto label = tag_value(line_, tags_, "label")) event.origin_id = std::move(*label);
    return event;
  }

  // Changes of who is where: what they say of now is no copy of anything, whoever caused it.
  Event& add_change(Kind kind, Bytes room) {
    Event& event = add(kind, room);
    event.present.clear();
    return event;
  }

  void read_live() {
    if (read_content()) return;
    if (command_ == "JOIN") return join();
    if (command_ == "PART") return part();
    if (command_ == "KICK") return kick();
    if (command_ == "QUIT") return quit();
    if (command_ == "NICK") return nick();
    if (command_ == "CAP") return cap();
    if (command_ == "BATCH") return batch();
    if (command_ == "AWAY") return away();
    if (command_ == "AUTHENTICATE") return;
    if (command_ == "ERROR" && !state_.registered && !state_.sign_in_refused)
      sign_in(false, "error: " + name_of(line_.param(0)));
  }

  // Out of history: recorded as such, and nobody comes or goes by it.
  void read_copy() {
    if (read_content()) return;
    if (command_ == "BATCH") return batch();
    if (command_ == "JOIN") add_change(Kind::join, line_.param(0));
    if (command_ == "PART") reason(add_change(Kind::leave, line_.param(0)), 1);
    if (command_ == "QUIT") reason(add_change(Kind::leave, {}), 0);
    if (command_ == "NICK") add_change(Kind::nick, {}).detail = name_of(line_.param(0));
    if (command_ == "KICK") kicked(add_change(Kind::leave, line_.param(0)));
  }

  bool read_content() {
    if (command_ == "PRIVMSG" || command_ == "NOTICE") return say(1), true;
    if (command_ == "TAGMSG") return tagmsg(), true;
    if (command_ == "WALLOPS") return wallops(), true;
    if (command_ == "TOPIC") return topic(add(Kind::topic, line_.param(0)), 1), true;
    if (command_ == "REDACT") return redact(), true;
    return false;
  }

  // Before sign-in a server speaks of hostname lookups and the like: nothing to archive, but a sensor shows all.
  bool server_talk() const {
    return !state_.registered && !state_.midstream && !state_.passive && line_.source().find('!') == Bytes::npos;
  }

  void say(std::size_t text) {
    Event said;
    if (line_.param_count() <= text || server_talk() || !read_body(line_, line_.param_span(text), said)) return;
    read_tags(line_, tags_, said, false);
    take(said, add(said.kind, line_.param(0)));
  }

  static void take(Event& said, Event& into) {
    into.action = said.action;
    into.texts = std::move(said.texts);
    into.files = std::move(said.files);
    into.seal = std::move(said.seal);
    into.ref = std::move(said.ref);
    into.thread = std::move(said.thread);
    if (!said.detail.empty()) into.detail = std::move(said.detail);
  }

  void tagmsg() {
    Event said;
    if (line_.param_count() > 0 && read_tags(line_, tags_, said, true)) take(said, add(said.kind, line_.param(0)));
  }

  void wallops() {
    if (line_.param_count() > 0) text(add(Kind::message, {}), 0, TextPart::Role::body);
  }

  void redact() {
    if (line_.param_count() < 2) return;
    Event& event = add(Kind::retraction, line_.param(0));
    event.ref = name_of(line_.param(1));
    if (line_.param_count() > 2) text(event, 2, TextPart::Role::reason);
  }

  void topic(Event& event, std::size_t param) { text(event, param, TextPart::Role::subject); }

  void text(Event& event, std::size_t param, TextPart::Role role) {
    event.texts.push_back(plain_text(line_.param(param), line_.param_span(param).begin, role));
  }

  void reason(Event& event, std::size_t param) {
    if (line_.param(param).empty()) return;
    text(event, param, TextPart::Role::reason);
    event.detail = event.texts.back().text;
  }

  void join() {
    const std::string room = name_of(line_.param(0));
    const bool mine = state_.is_me(source_);
    if (mine || state_.midstream) state_.rooms.open(room);
    state_.rooms.enter(room, name_of(source_));
    Event& event = add_change(Kind::join, line_.param(0));
    if (mine) event.copy = Copy::none;  // the client's JOIN was a wish; this is the fact
  }

  void part() {
    const std::string room = name_of(line_.param(0));
    reason(add_change(Kind::leave, line_.param(0)), 1);
    gone(room, source_);
  }

  void kicked(Event& event) {
    event.to = {event.from};
    event.from = name_of(line_.param(1));
    event.from_device.clear();
    reason(event, 2);
  }

  void kick() {
    kicked(add_change(Kind::leave, line_.param(0)));
    gone(name_of(line_.param(0)), line_.param(1));
  }

  void gone(const std::string& room, Bytes who) {
    if (state_.is_me(who))
      state_.rooms.close(room);
    else
      state_.rooms.leave(room, name_of(who));
  }

  // A QUIT names no channel: it is a leave in each that this session shares with who quits.
  void quit() {
    const auto rooms = state_.rooms.rooms_of(name_of(source_));
    for (const std::string& room : rooms) {
      reason(add_change(Kind::leave, room), 0);
      gone(room, source_);
    }
    if (rooms.empty()) reason(add_change(Kind::leave, {}), 0);
  }

  void nick() {
    const std::string renamed = name_of(line_.param(0));
    Event& event = add_change(Kind::nick, {});
    event.detail = renamed;
    const bool mine = state_.is_me(source_);
    state_.rooms.rename(name_of(source_), renamed);
    if (!mine) return;
    event.copy = Copy::none;
    state_.nick = renamed;
    state_.mask =
        state_.mask.empty() ? "" : renamed + state_.mask.substr(std::min(state_.mask.find('!'), state_.mask.size()));
    unit_.action = static_cast<std::uint32_t>(Action::renamed);
  }

  void away() {
    if (!state_.record_presence) return;
    Event& event = add_change(Kind::presence, {});
    event.detail = line_.param(0).empty() ? "here" : "away";
    if (!line_.param(0).empty()) text(event, 0, TextPart::Role::reason);
  }

  // CAP <nick> <verb> [*] :<capabilities>
  void cap() {
    const Bytes verb = line_.param(1);
    const Span list = line_.param_count() > 2 ? line_.param_span(line_.param_count() - 1) : Span{};
    if (verb == "LS" || verb == "NEW") {
      if (!withhold_capabilities(line_, list).empty()) unit_.action = static_cast<std::uint32_t>(Action::offer);
    } else if (verb == "ACK" || verb == "DEL") {
      for (const Span each : split_words(line_, list)) switch_capability(line_.text(each), verb == "ACK");
    }
  }

  void switch_capability(Bytes name, bool on) {
    if (name.starts_with('-')) {
      on = false;
      name.remove_prefix(1);
    }
    if (name == "echo-message") state_.set(Cap::echo_message, on);
    if (name == "labeled-response") state_.set(Cap::labeled_response, on);
    if (name == "standard-replies" || name == "inspircd.org/standard-replies") state_.set(Cap::standard_replies, on);
    if (name == "batch") state_.set(Cap::batch, on);
  }

  // BATCH +ref type [parameters] … BATCH -ref. A batch inside another is what the outer one is, if it is nothing
  // itself.
  void batch() {
    const Bytes reference = line_.param(0);
    if (reference.starts_with('-')) {
      std::erase_if(state_.batches, [&](const OpenBatch& b) { return b.reference == reference.substr(1); });
      if (state_.batches.empty()) state_.batches = {};
      return;
    }
    if (!reference.starts_with('+') || state_.batches.size() >= kBatchesMax) return;
    const Bytes type = line_.param(1);
    const bool archive = type == "chathistory" || type == "draft/chathistory";
    const bool playback = type == "znc.in/playback";
    const Copy outer = copy_ == Copy::echo ? Copy::none : copy_;
    const Copy inner = archive ? Copy::archive : playback ? Copy::delayed : outer;
    state_.batches.push_back({std::string{reference.substr(1)}, inner});
  }

  void sign_in(bool accepted, std::string detail) {
    Event& event = add_change(Kind::sign_in, {});
    event.copy = Copy::none;
    event.accepted = accepted;
    event.from = state_.nick;
    event.from_device = state_.mask;
    event.origin_id = name_of(state_.account);
    event.detail = std::move(detail);
    if (!accepted) state_.sign_in_refused = true;
  }

  void read_numeric() {
    if (state_.midstream && line_.param(0) != "*" && line_.param_count() > 1) state_.nick = name_of(line_.param(0));
    if (command_ == "001") return welcome();
    if (command_ == "005") return isupport();
    if (command_ == "010") unit_.action = static_cast<std::uint32_t>(Action::bounce);
    if (command_ == "332" && line_.param_count() > 2) return standing_topic();
    if (command_ == "353" && line_.param_count() > 2) return names();
    if (command_ == "464" && !state_.registered) return sign_in(false, std::string{kPass});
    if (command_ == "465" && !state_.registered) return sign_in(false, "banned");
    read_account_numeric();
  }

  // https://ircv3.net/specs/extensions/sasl-3.1: 900 and 903 say that the server took the answer, 902, 904, 905 and 906
  // that nothing is proven. Many servers let the person in all the same, and 001 follows.
  void read_account_numeric() {
    if (command_ == "900" || command_ == "903") {
      state_.sasl_running = false;
      if (!state_.mechanism.empty()) state_.proven_by = state_.mechanism;
    }
    if (command_ == "900") {
      state_.account = name_of(line_.param(2));
      if (state_.registered) sign_in(true, "services");
    }
    if (command_ == "901") logged_out();
    if (command_ >= "902" && command_ <= "907") state_.sasl_running = false;
    if (command_ == "902" || command_ == "904" || command_ == "905")
      sign_in(false, std::exchange(state_.mechanism, {}));
    if (command_ == "906") state_.mechanism.clear();
    if (command_ == "908" && !withhold_mechanisms(line_, line_.param_span(1)).empty())
      unit_.action = static_cast<std::uint32_t>(Action::mechanisms);
  }

  void logged_out() {
    state_.account.clear();
    state_.proven_by = state_.pass_sent ? kPass : std::string_view{};
  }

  void welcome() {
    state_.nick = name_of(line_.param(0));
    state_.registered = true;
    source_ = state_.nick;
    sign_in(true, state_.proven_by);
    unit_.action = static_cast<std::uint32_t>(Action::welcome);
  }

  void isupport() {
    for (std::size_t i = 1; i + 1 < line_.param_count(); ++i) state_.network.learn(line_.param(i));
    state_.rooms.set_casemap(state_.network.casemap);
  }

  // 332 <nick> <channel> :<topic>: what was set before this session came
  void standing_topic() {
    source_ = {};
    Event& event = add(Kind::topic, line_.param(1));
    event.from_device.clear();
    event.present.clear();
    event.copy = Copy::delayed;
    topic(event, 2);
  }

  // 353 <nick> <symbol> <channel> :[prefixes]nick[!user@host] …
  void names() {
    const std::size_t last = line_.param_count() - 1;
    const std::string room = name_of(line_.param(last - 1));
    if (state_.midstream) state_.rooms.open(room);
    if (!state_.rooms.knows(room)) return;
    for (const Span each : split_words(line_, line_.param_span(last))) {
      Bytes name = line_.text(each);
      name.remove_prefix(std::min(name.find_first_not_of(state_.network.prefixes), name.size()));
      state_.rooms.enter(room, name_of(nick_of(name)));
    }
  }

  State& state_;
  const Instant now_;
  Unit& unit_;
  const Line& line_;
  const std::string command_;
  const std::vector<Tag> tags_ = tags_of(line_);
  Bytes source_;  // nick, or a server's name
  Copy copy_ = Copy::none;
  std::optional<Instant> stated_;
};

}  // namespace

std::error_code read_server_line(State& state, Unit& unit, Instant now) {
  const Line as_sent{unit.wire};
  std::string command = as_sent.upper_command();
  unit.secrets = find_secrets(state, as_sent, command, Side::server);
  if (unit.secrets.empty()) {
    ServerReader{state, unit, as_sent, std::move(command), now}.read();
    return {};
  }
  Buffer masked = unit.wire;
  for (const Secret& secret : unit.secrets)
    std::fill(masked.begin() + secret.wire_begin, masked.begin() + secret.wire_end, '*');
  ServerReader{state, unit, Line{masked}, std::move(command), now}.read();
  return {};
}

}  // namespace chancery::irc
