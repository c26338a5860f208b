#include "codec/irc/secrets.h"

#include <algorithm>
#include <array>
#include <utility>

#include "codec/irc/withheld.h"

namespace chancery::irc {
namespace {

std::string upper(Bytes text) {
  std::string all{text};
  for (char& c : all)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return all;
}

// Services that take passwords, as Anope, Atheme and GameSurge name them.
constexpr std::array<std::string_view, 8> kServices{"NICKSERV", "CHANSERV", "AUTHSERV", "USERSERV",
                                                    "OPERSERV", "BOTSERV",  "SASLSERV", "ACCOUNTSERV"};
// Those of QuakeNet and Undernet have names that people could bear: they count only with their server's name.
constexpr std::array<std::string_view, 3> kShortServices{"Q", "X", "L"};

// What follows one of these is, or contains, a password or a code that works as one.
constexpr std::array<std::string_view, 17> kVerbs{"IDENTIFY", "ID",      "SIDENTIFY", "LOGIN",  "AUTH",    "REGISTER",
                                                  "GHOST",    "RECOVER", "RELEASE",   "REGAIN", "SETPASS", "PASSWD",
                                                  "NEWPASS",  "GROUP",   "CONFIRM",   "VERIFY", "SENDPASS"};

constexpr std::string_view kToService = "nickserv";

// No command of theirs takes more. A person with a service's name hides no sentence from the record.
constexpr int kSecretWordsMax = 3;

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

Span skip_spaces(const Line& line, Span span) {
  while (span.begin < span.end && (line.wire()[span.begin] == ' ' || line.wire()[span.begin] == ':')) ++span.begin;
  return span;
}

Span word(const Line& line, Span span) {
  span = skip_spaces(line, span);
  const std::size_t size = std::min(line.text(span).find(' '), line.text(span).size());
  return {span.begin, span.begin + static_cast<std::uint32_t>(size)};
}

void add(std::vector<Secret>& secrets, Span span, std::string_view what) {
  if (!span.empty()) secrets.push_back({span.begin, span.end, std::string{what}});
}

// A parameter and all behind it.
Span from_param(const Line& line, std::size_t i) {
  return i < line.param_count() ? Span{line.param_span(i).begin, line.body_end()} : Span{};
}

void add_words(const Line& line, Span text, std::vector<Secret>& secrets) {
  Span words{text.begin, text.begin};
  for (int i = 0; i < kSecretWordsMax; ++i) words.end = std::max(words.end, word(line, {words.end, text.end}).end);
  add(secrets, words, kToService);
}

// "IDENTIFY x y", "SET PASSWORD x": what is behind the verb.
void add_service_secrets(const Line& line, Span text, std::vector<Secret>& secrets) {
  const Span verb = word(line, text);
  const Span rest = skip_spaces(line, {verb.end, text.end});
  const std::string name = upper(line.text(verb));
  if (is_one_of(kVerbs, name)) return add_words(line, rest, secrets);
  if (name != "SET" && name != "SASET") return;
  // SET PASSWORD x, SET #room PASSWORD x, SASET nick PASSWORD x
  Span left = rest;
  for (int i = 0; i < 2 && !left.empty(); ++i) {
    const Span item = word(line, left);
    left = skip_spaces(line, {item.end, text.end});
    if (upper(line.text(item)).starts_with("PASS")) return add_words(line, left, secrets);
  }
}

// With a 'k' among the modes, their arguments hold a key; which one depends on the server's other modes, so all do.
void add_mode_secrets(const Line& line, std::size_t modes, std::vector<Secret>& secrets) {
  if (line.param(modes).find('k') == Bytes::npos) return;
  for (std::size_t i = modes + 1; i < line.param_count(); ++i) add(secrets, line.param_span(i), "room-password");
}

void add_client_secrets(const Line& line, std::string_view command, std::vector<Secret>& secrets) {
  const Span all = skip_spaces(line, line.rest_span());
  if (command == "PASS") return add(secrets, all, "pass");
  if (command == "WEBIRC") return add(secrets, line.param_span(0), "pass");
  if (command == "OPER") return add(secrets, from_param(line, 1), "oper");
  // https://ircv3.net/specs/extensions/account-registration
  if (command == "REGISTER") return add(secrets, from_param(line, line.param_count() - 1), "registration");
  if (command == "VERIFY") return add(secrets, line.param_span(1), "registration");
  if (command == "JOIN") return add(secrets, line.param_span(1), "room-password");
  if (command == "IDENTIFY" || command == "ID" || command == "SIDENTIFY" || command == "LOGIN" || command == "AUTH")
    return add(secrets, all, kToService);
  if (!service_of_command(command).empty()) add_service_secrets(line, all, secrets);
}

bool names_a_service(const Line& line, Span targets) {
  return std::ranges::any_of(split_list(line, targets), [&](Span target) {
    const Bytes name = nick_of(line.text(target));
    const bool has_host = name.size() < line.text(target).size();
    return is_one_of(kServices, upper(name)) || (has_host && is_one_of(kShortServices, upper(name)));
  });
}

// What a service says back of what it was told.
void add_told(const State& state, const Line& line, std::vector<Secret>& secrets) {
  const std::string source = upper(nick_of(line.source()));
  if (state.told.empty() || (!is_one_of(kServices, source) && !is_one_of(kShortServices, source))) return;
  const Span said = from_param(line, 1);
  std::vector<Span> found;
  for (const std::string& word : state.told)
    for (std::size_t at = line.text(said).find(word); at != Bytes::npos; at = line.text(said).find(word, at + 1)) {
      const auto begin = static_cast<std::uint32_t>(said.begin + at);
      found.push_back({begin, begin + static_cast<std::uint32_t>(word.size())});
    }
  std::ranges::sort(found, {}, &Span::begin);
  for (const Span& each : found) {
    if (!secrets.empty() && each.begin <= secrets.back().wire_end)
      secrets.back().wire_end = std::max(secrets.back().wire_end, each.end);
    else
      add(secrets, each, kToService);
  }
}

}  // namespace

void remember_told(State& state, const Line& line, const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    if (secret.what != kToService) continue;
    Span left{secret.wire_begin, secret.wire_end};
    while (!left.empty()) {
      const Span one = word(line, left);
      const Bytes text = line.text(one);
      left = skip_spaces(line, {one.end, left.end});
      const bool is_known = state.is_me(text) || std::ranges::find(state.told, text) != state.told.end();
      if (text.empty() || text.size() > kToldOctetsMax || is_known) continue;
      if (state.told.size() == kToldMax) state.told.erase(state.told.begin());
      state.told.emplace_back(text);
    }
  }
}

bool is_mechanism_name(Bytes argument) {
  constexpr std::size_t kNameMax = 20;  // RFC 4422 §3.1
  return !argument.empty() && argument.size() <= kNameMax &&
         argument.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == Bytes::npos;
}

std::string_view service_of_command(std::string_view command) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kNames{{{"NS", "NickServ"},
                                                                                  {"NICKSERV", "NickServ"},
                                                                                  {"CS", "ChanServ"},
                                                                                  {"CHANSERV", "ChanServ"},
                                                                                  {"MS", "MemoServ"},
                                                                                  {"MEMOSERV", "MemoServ"},
                                                                                  {"OS", "OperServ"},
                                                                                  {"OPERSERV", "OperServ"},
                                                                                  {"BS", "BotServ"},
                                                                                  {"BOTSERV", "BotServ"},
                                                                                  {"HS", "HostServ"},
                                                                                  {"HOSTSERV", "HostServ"},
                                                                                  {"AUTHSERV", "AuthServ"},
                                                                                  {"USERSERV", "UserServ"}}};
  for (const auto& [name, service] : kNames)
    if (name == command) return service;
  return {};
}

std::vector<Secret> find_secrets(const State& state, const Line& line, std::string_view command, Side from) {
  std::vector<Secret> secrets;
  if (command == "PRIVMSG" || command == "NOTICE" || command == "SQUERY") {
    if (names_a_service(line, line.param_span(0))) add_service_secrets(line, from_param(line, 1), secrets);
    if (from == Side::server && secrets.empty()) add_told(state, line, secrets);
  } else if (command == "AUTHENTICATE") {
    const Bytes argument = line.param(0);
    const bool is_name = is_mechanism_name(argument) || is_withheld_mechanism(argument);
    const bool is_answer = from == Side::server || state.sasl_running || !is_name;
    if (is_answer && argument != "+" && argument != "*") add(secrets, line.param_span(0), "sasl");
  } else if (command == "MODE") {
    add_mode_secrets(line, 1, secrets);
  } else if (command == "324") {  // RPL_CHANNELMODEIS
    add_mode_secrets(line, 2, secrets);
  } else if (from == Side::client && line.param_count() > 0) {
    add_client_secrets(line, command, secrets);
  }
  return secrets;
}

}  // namespace chancery::irc
