// What a client's lines mean.
#include <algorithm>
#include <array>

#include "codec/irc/body.h"
#include "codec/irc/read.h"
#include "codec/irc/secrets.h"
#include "codec/irc/text.h"
#include "codec/irc/withheld.h"
#include "core/utf8.h"

namespace chancery::irc {
namespace {

constexpr std::uint8_t kNobody = 0xff;  // the command names no target

// Commands by which words reach people. `target` and `text` are parameters.
struct Saying {
  std::string_view command;
  std::uint8_t target;
  std::uint8_t text;
};
constexpr std::array kSayings = std::to_array<Saying>({
    {"PRIVMSG", 0, 1},       {"NOTICE", 0, 1},          {"SQUERY", 0, 1},  // RFC 2812 §3.5.2
    {"CPRIVMSG", 0, 2},                                                    // ratbox, ircu: past the limit on targets
    {"CNOTICE", 0, 2},                                                     //
    {"WALLOPS", kNobody, 0}, {"GLOBOPS", kNobody, 0},   {"LOCOPS", kNobody, 0}, {"OPERWALL", kNobody, 0},
    {"CHATOPS", kNobody, 0}, {"ADCHAT", kNobody, 0},    {"WALLCHOPS", 0, 1},                         // ircu
    {"WALLVOICES", 0, 1},    {"WALLUSERS", kNobody, 0}, {"KNOCK", 0, 1},        {"RELAYMSG", 0, 2},  // Ergo
    {"NPC", 0, 2},  // role play: Charybdis, Ergo
    {"NPCA", 0, 2},          {"SCENE", 0, 1},           {"AMBIANCE", 0, 1},     {"FSAY", 0, 2},
    {"FACTION", 0, 2},
});

// Commands by which no words reach anybody, or whose words are told elsewhere. Sorted.
constexpr std::array kQuiet = std::to_array<std::string_view>(
    {"ACCEPT",   "ADMIN",    "AUTH",     "AUTHENTICATE", "AWAY",     "BATCH", "CAP",      "CHATHISTORY", "CYCLE",
     "DCCALLOW", "ERROR",    "EXTJWT",   "HELP",         "HELPOP",   "ID",    "IDENTIFY", "INFO",        "INVITE",
     "ISON",     "ISUPPORT", "JOIN",     "LINKS",        "LIST",     "LOGIN", "LUSERS",   "MAP",         "MARKREAD",
     "MODE",     "MONITOR",  "MOTD",     "NAMES",        "NAMESX",   "NICK",  "OPER",     "PART",        "PASS",
     "PING",     "PONG",     "PROTOCTL", "QUIT",         "REGISTER", "RULES", "SERVICE",  "SERVLIST",    "SIDENTIFY",
     "SILENCE",  "STARTTLS", "STATS",    "TIME",         "TOPIC",    "TRACE", "USER",     "USERHOST",    "USERIP",
     "USERS",    "VERIFY",   "VERSION",  "WATCH",        "WEBIRC",   "WHO",   "WHOIS",    "WHOWAS",      "WHOX"});
static_assert(std::ranges::is_sorted(kQuiet));

class ClientReader {
 public:
  ClientReader(State& state, Unit& unit, const Line& line, std::string command)
      : state_(state), unit_(unit), line_(line), command_(std::move(command)) {}

  std::error_code read() {
    for (const Saying& saying : kSayings)
      if (saying.command == command_) return read_saying(saying);
    if (command_ == "TAGMSG") return read_tagmsg();
    if (command_ == "PART") return read_part();
    if (command_ == "KICK") return read_kick();
    if (command_ == "REDACT") return read_redact();
    if (command_ == "QUIT" && !line_.param(0).empty()) add_leave({}, 0);
    if (command_ == "TOPIC" && line_.param_count() > 1) read_topic();
    if (command_ == "AWAY" && state_.record_presence) read_away();
    if (!service_of_command(command_).empty()) return read_service();
    read_session();
    if (!std::ranges::binary_search(kQuiet, command_)) read_unknown();
    return {};
  }

 private:
  Event& add(Kind kind, Bytes target) {
    Event& event = unit_.events.emplace_back();
    begin_event(state_, kind, state_.nick, target, event);
    event.from_device = state_.mask;
    event.origin_id = label_;
    return event;
  }

  void learn_label() {
    if (auto label = tag_value(line_, tags_, "label")) label_ = std::move(*label);
  }

  // Targets of a list; nullopt: more than the limit.
  std::error_code targets(std::size_t param, std::vector<Span>& out) const {
    out = split_list(line_, line_.param_span(param));
    return out.size() > state_.limits.targets_max ? make_error_code(CodecError::too_many) : std::error_code{};
  }

  std::error_code read_saying(const Saying& saying) {
    if (line_.param_count() <= saying.text) return {};
    Event said;
    if (!read_body(line_, line_.param_span(saying.text), said)) return {};
    read_tags(line_, tags_, said, false);
    return add_to_targets(saying.target, said);
  }

  std::error_code read_tagmsg() {
    Event said;
    if (line_.param_count() == 0 || !read_tags(line_, tags_, said, true)) return {};
    return add_to_targets(0, said);
  }

  // One event for each target, so that each is decided by itself.
  std::error_code add_to_targets(std::uint8_t param, const Event& said) {
    learn_label();
    if (param == kNobody) {
      copy_saying(said, add(said.kind, {}));
      return {};
    }
    std::vector<Span> list;
    if (const auto error = targets(param, list)) return error;
    for (const Span each : list) copy_saying(said, add(said.kind, line_.text(each)));
    return {};
  }

  static void copy_saying(const Event& said, Event& into) {
    into.action = said.action;
    into.texts = said.texts;
    into.files = said.files;
    into.seal = said.seal;
    into.ref = said.ref;
    into.thread = said.thread;
    if (!said.detail.empty()) into.detail = said.detail;
  }

  void add_leave(Bytes room, std::size_t reason) {
    Event& event = add(Kind::leave, room);
    if (room.empty()) event.scope = Scope::network;
    event.present.clear();
    event.texts.push_back(plain_text(line_.param(reason), line_.param_span(reason).begin, TextPart::Role::reason));
    event.detail = event.texts.back().text;
  }

  // Without a reason there is nothing to judge: the server's own line records the leaving.
  std::error_code read_part() {
    if (line_.param(1).empty()) return {};
    std::vector<Span> rooms;
    if (const auto error = targets(0, rooms)) return error;
    for (const Span room : rooms) add_leave(line_.text(room), 1);
    return {};
  }

  std::error_code read_kick() {
    if (line_.param(2).empty()) return {};
    std::vector<Span> rooms, victims;
    if (const auto error = targets(0, rooms)) return error;
    if (const auto error = targets(1, victims)) return error;
    // RFC 2812 §3.2.8: one channel and any victims, or as many channels as victims.
    for (std::size_t i = 0; i < victims.size() && !rooms.empty(); ++i) {
      add_leave(line_.text(rooms[std::min(i, rooms.size() - 1)]), 2);
      unit_.events.back().from = name_of(line_.text(victims[i]));
      unit_.events.back().from_device.clear();
      unit_.events.back().to = {name_of(state_.nick)};
    }
    return {};
  }

  // https://ircv3.net/specs/extensions/message-redaction: REDACT target msgid [reason]
  std::error_code read_redact() {
    if (line_.param_count() < 2) return {};
    learn_label();
    Event& event = add(Kind::retraction, line_.param(0));
    event.ref = name_of(line_.param(1));
    if (line_.param_count() > 2)
      event.texts.push_back(plain_text(line_.param(2), line_.param_span(2).begin, TextPart::Role::reason));
    return {};
  }

  void read_topic() {
    Event& event = add(Kind::topic, line_.param(0));
    event.texts.push_back(plain_text(line_.param(1), line_.param_span(1).begin, TextPart::Role::subject));
  }

  void read_away() {
    Event& event = add(Kind::presence, {});
    event.scope = Scope::network;
    event.detail = line_.param(0).empty() ? "here" : "away";
    if (!line_.param(0).empty())
      event.texts.push_back(plain_text(line_.param(0), line_.param_span(0).begin, TextPart::Role::reason));
  }

  // "MS SEND bob :text" is what the server makes of it: a message to MemoServ.
  std::error_code read_service() {
    if (line_.param_count() == 0) return {};
    learn_label();
    add_rest(add(Kind::message, service_of_command(command_)));
    return {};
  }

  // A command that only some servers know may carry words to people: recorded and judged, if not understood.
  void read_unknown() {
    if (line_.param_count() == 0) return;
    learn_label();
    Event& event = add(Kind::opaque, {});
    event.detail = "command " + name_of(line_.command());
    add_rest(event);
  }

  void add_rest(Event& event) {
    const Span all{line_.param_span(0).begin, line_.body_end()};
    event.texts.push_back(plain_text(line_.text(all), all.begin, TextPart::Role::body));
  }

  void read_session() {
    if (command_ == "NICK" && !state_.registered && line_.param_count() > 0) state_.nick = name_of(line_.param(0));
    if (command_ == "PASS") read_pass();
    if (command_ == "STARTTLS") unit_.action = static_cast<std::uint32_t>(Action::starttls);
    if (command_ == "CAP") read_cap();
    if (command_ == "AUTHENTICATE") read_authenticate();
  }

  void read_pass() {
    state_.pass_sent = true;
    if (state_.proven_by.empty()) state_.proven_by = kPass;
  }

  void read_cap() {
    std::string verb{line_.param(0)};
    for (char& c : verb) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    if (verb != "REQ") return;
    const auto withheld = [&](Span each) {
      const Bytes name = line_.text(each);
      return is_withheld_capability(name.substr(0, name.find('=')));
    };
    if (std::ranges::any_of(split_words(line_, {line_.param_span(1).begin, line_.body_end()}), withheld))
      unit_.action = static_cast<std::uint32_t>(Action::request);
  }

  void read_authenticate() {
    if (!unit_.secrets.empty()) return;  // an answer, and masked
    const Bytes argument = line_.param(0);
    if (argument == "*") {
      state_.sasl_running = false;
    } else if (!state_.sasl_running && is_withheld_mechanism(argument)) {
      unit_.action = static_cast<std::uint32_t>(Action::bad_mechanism);
    } else if (!state_.sasl_running && is_mechanism_name(argument)) {
      state_.mechanism = std::string{argument};
      state_.sasl_running = true;
    }
  }

  State& state_;
  Unit& unit_;
  const Line& line_;
  const std::string command_;
  const std::vector<Tag> tags_ = tags_of(line_);
  std::string label_;
};

}  // namespace

std::string name_of(Bytes octets) { return is_utf8(octets) ? std::string{octets} : to_utf8_lossy(octets); }

void begin_event(const State& state, Kind kind, Bytes from, Bytes target, Event& event) {
  event.kind = kind;
  event.from = name_of(from);
  const Bytes channel = state.network.channel_of(target);
  if (!channel.empty()) {
    event.scope = Scope::room;
    event.room = state.rooms.name(name_of(channel));
    event.present = state.rooms.members(event.room);
    // Only members of some rank hear it ("@#room"); who has which is not tracked.
    if (channel.size() < target.size())
      event.detail = "to " + name_of(target.substr(0, target.size() - channel.size()));
  } else if (target.empty()) {
    event.scope = Scope::network;
  } else {
    event.to.push_back(name_of(target));
  }
}

std::error_code read_client_line(State& state, Unit& unit) {
  const Line as_sent{unit.wire};
  std::string command = as_sent.upper_command();
  unit.secrets = find_secrets(state, as_sent, command, Side::client);
  if (unit.secrets.empty()) return ClientReader{state, unit, as_sent, std::move(command)}.read();
  remember_told(state, as_sent, unit.secrets);
  // Events are read from a copy without the secrets, so that no text can hold one.
  Buffer masked = unit.wire;
  for (const Secret& secret : unit.secrets)
    std::fill(masked.begin() + secret.wire_begin, masked.begin() + secret.wire_end, '*');
  return ClientReader{state, unit, Line{masked}, std::move(command)}.read();
}

}  // namespace chancery::irc
