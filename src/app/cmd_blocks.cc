// chancery blocks …: the block list, from proposals out of seen traffic to what other programs apply.
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pwd.h>
#include <set>
#include <unistd.h>

#include "app/capture_input.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/output_file.h"
#include "app/terminal.h"
#include "app/watch/enforcer.h"
#include "app/watch/hosts_input.h"
#include "core/json.h"
#include "sensor/classify/decider.h"
#include "sensor/enforce/apply_request.h"
#include "sensor/enforce/block_export.h"
#include "sensor/enforce/block_list.h"
#include "sensor/enforce/traffic.h"
#include "sensor/sensor.h"

namespace chancery::app {
namespace {

using sensor::BlockEntry;
using sensor::BlockList;
using sensor::BlockListError;
using sensor::BlockState;
using sensor::BlockTarget;
using sensor::BlockWish;

struct Given {
  std::string folder = "sensor";
  std::vector<std::string> files, hosts;
  // what is wanted
  std::vector<std::string> categories, allowed, inside, gateways, never;
  std::uint64_t flows_min = 1;
  // which entries
  std::vector<std::string> entries;
  bool all = false;
  std::string state, since;
  // decisions
  std::string by, expires;
  bool force = false;
  // export
  std::string format, output;
  // apply
  std::string socket, lease = "24h";
};

Instant now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

BlockList open_list(const Given& given, bool must_exist) {
  try {
    return BlockList::open(given.folder, must_exist);
  } catch (const BlockListError& error) {
    throw Failure(error.what());
  }
}

// What a decision says of who made it: --by, or the account of whoever typed it.
std::string decider(const Given& given) {
  if (!given.by.empty()) return given.by;
  if (const char* user = std::getenv("SUDO_USER"); user != nullptr && *user != '\0') return user;
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::getuid());
}

// "30d", "12h", "45m", or a date-time.
Instant parse_expiry(const std::string& text, Instant from) {
  std::uint32_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc{} && rest + 1 == end && count > 0) {
    if (*rest == 'd') return from + std::chrono::days{count};
    if (*rest == 'h') return from + std::chrono::hours{count};
    if (*rest == 'm') return from + std::chrono::minutes{count};
  }
  const auto time = parse_rfc3339(text);
  if (!time)
    throw Failure(fmt::format("--expires {}: expected a time like 30d, 12h, 45m or 2026-12-31T18:00:00Z", text));
  if (*time <= from) throw Failure(fmt::format("--expires {}: this is in the past", text));
  return *time;
}

std::optional<Instant> parse_since(const Given& given) {
  if (given.since.empty()) return std::nullopt;
  const auto time = parse_rfc3339(given.since);
  if (!time)
    throw Failure(
        fmt::format("--since {}: expected a date or time like 2026-05-03 or 2026-05-03T09:00:00Z", given.since));
  return time;
}

BlockWish wish_of(const Given& given) {
  BlockWish wish;
  if (!given.categories.empty()) wish.categories.clear();
  for (const std::string& word : given.categories) {
    const auto category = sensor::parse_category(word);
    if (!category) throw Failure(fmt::format("--category {}: expected im, p2p, voip, web-im or other", word));
    wish.categories.insert(*category);
  }
  wish.allowed_applications.insert(given.allowed.begin(), given.allowed.end());
  wish.flows_min = given.flows_min;
  if (!given.inside.empty()) wish.inside.clear();
  for (const std::string& text : given.inside) {
    const auto network = sensor::Network::parse(text);
    if (!network) throw Failure(fmt::format("--inside {}: expected a network like 10.0.0.0/8 or 2001:db8::/32", text));
    wish.inside.push_back(*network);
  }
  for (const std::string& text : given.never) {
    if (const auto network = sensor::Network::parse(text))
      wish.never_addresses.push_back(*network);
    else if (sensor::is_host_name(text))
      wish.never_names.push_back(text);
    else
      throw Failure(fmt::format("--never {}: expected a name, an address or a network", text));
  }
  return wish;
}

// --- JSON and tables -------------------------------------------------------------------------------------------------

void write_entry(JsonWriter& json, const BlockEntry& entry) {
  const BlockTarget& target = entry.target;
  json.begin_object()
      .member("id", entry.id)
      .member("kind", sensor::to_string(target.kind))
      .member("value", target.text());
  json.member("state", sensor::to_string(entry.state)).member("application", entry.application);
  json.member("category", sensor::to_string(entry.category)).member("reason", entry.reason);
  json.key("clients").begin_array();
  for (const std::string& client : entry.clients) json.value(client);
  json.end_array().member("client_count", entry.client_count).member("flows", entry.flows);
  json.member("first_seen", to_rfc3339(entry.first_seen)).member("last_seen", to_rfc3339(entry.last_seen));
  json.member("proposed", to_rfc3339(entry.proposed_at)).member("decided_by", entry.decided_by);
  const auto time = [&](const char* name, const std::optional<Instant>& value) {
    json.key(name);
    if (value)
      json.value(to_rfc3339(*value));
    else
      json.null();
  };
  time("decided", entry.decided_at);
  time("expires", entry.expires_at);
  json.end_object();
}

void print_entries(const Context& context, std::span<const BlockEntry> entries) {
  if (context.json) {
    std::string text;
    JsonWriter json{text};
    json.begin_object().key("entries").begin_array();
    for (const BlockEntry& entry : entries) write_entry(json, entry);
    json.end_array().end_object();
    context.out << text << '\n';
    return;
  }
  for (const BlockEntry& entry : entries) {
    context.out << fmt::format("{:>5}  {:<9} {:<9} {}\n       {}\n", entry.id, sensor::to_string(entry.state),
                               sensor::to_string(entry.target.kind), harmless(entry.target.text()),
                               harmless(entry.reason));
    context.out << fmt::format("       seen {} to {}\n", to_rfc3339(entry.first_seen), to_rfc3339(entry.last_seen));
    if (entry.decided_at)
      context.out << fmt::format("       {} by {} at {}{}\n", sensor::to_string(entry.state),
                                 harmless(entry.decided_by), to_rfc3339(*entry.decided_at),
                                 entry.expires_at ? ", until " + to_rfc3339(*entry.expires_at) : "");
  }
  if (entries.empty()) context.out << "No entries.\n";
}

// --- propose ---------------------------------------------------------------------------------------------------------

std::vector<sensor::Seen> watch_files(const Context& context, const Given& given) {
  const sensor::Hosts hosts =
      watch::load_hosts(std::vector<std::filesystem::path>{given.hosts.begin(), given.hosts.end()});
  sensor::DeciderOptions deciding;
  deciding.hosts = &hosts;
  sensor::Sensor::Options options;
  options.flows.seed = random_seed();
  options.summary.flows = options.summary.messages = options.summary.urls = false;
  options.summary.gateways = watch::parse_gateways(given.gateways);
  auto files = open_captures(given.files);
  sensor::TrafficCollector collector{hosts};
  sensor::Sensor sensor{options, sensor::make_decider(deciding)};
  sensor.watch(collector);
  read_captures(context, given.files, files, sensor);
  sensor.finish();
  return collector.take();
}

Exit propose(const Context& context, const Given& given) {
  const BlockWish wish = wish_of(given);
  const auto fresh = watch_files(context, given);
  BlockList list = open_list(given, given.files.empty());
  list.remember(fresh);
  const Instant time = now();
  const sensor::Proposals proposals = sensor::propose(list.traffic(parse_since(given)), wish, time);
  const std::size_t added = list.add(proposals.entries);
  std::vector<BlockEntry> shown;
  for (const BlockEntry& entry : list.entries())
    if (entry.state == BlockState::proposed) shown.push_back(entry);
  if (!context.json) {
    print_entries(context, shown);
    for (const auto& [target, application, why] : proposals.withheld)
      context.out << fmt::format("not proposed: {} ({}): {}\n", harmless(target.text()), harmless(application),
                                 harmless(why));
    context.out << fmt::format(
        "{} new, {} waiting for a decision. Look with `chancery blocks simulate -d {}`, then "
        "`chancery blocks approve -d {} ID`.\n",
        added, shown.size(), given.folder, given.folder);
    return Exit::ok;
  }
  std::string text;
  JsonWriter json{text};
  json.begin_object().member("new", added).key("entries").begin_array();
  for (const BlockEntry& entry : shown) write_entry(json, entry);
  json.end_array().key("withheld").begin_array();
  for (const auto& [target, application, why] : proposals.withheld)
    json.begin_object()
        .member("kind", sensor::to_string(target.kind))
        .member("value", target.text())
        .member("application", application)
        .member("why", why)
        .end_object();
  json.end_array().end_object();
  context.out << text << '\n';
  return Exit::ok;
}

// --- list, approve, reject, revoke -----------------------------------------------------------------------------------

Exit list_entries(const Context& context, const Given& given) {
  BlockList list = open_list(given, true);
  list.expire(now());
  std::optional<BlockState> state;
  if (!given.state.empty()) {
    state = sensor::parse_block_state(given.state);
    if (!state)
      throw Failure(fmt::format("--state {}: expected proposed, approved, rejected, revoked or expired", given.state));
  }
  std::vector<BlockEntry> shown;
  for (const BlockEntry& entry : list.entries())
    if (!state || entry.state == *state) shown.push_back(entry);
  print_entries(context, shown);
  return Exit::ok;
}

// By number or by what is blocked; all of `state` with --all.
std::vector<BlockEntry> chosen(const BlockList& list, const Given& given, BlockState state) {
  const auto entries = list.entries();
  std::vector<BlockEntry> out;
  if (given.all)
    for (const BlockEntry& entry : entries)
      if (entry.state == state) out.push_back(entry);
  for (const std::string& word : given.entries) {
    const auto found = std::ranges::find_if(entries, [&](const BlockEntry& entry) {
      return word == std::to_string(entry.id) || word == entry.target.text();
    });
    if (found == entries.end())
      throw Failure(fmt::format("no entry {}; `chancery blocks list -d {}` shows them", word, given.folder));
    out.push_back(*found);
  }
  if (!given.all && given.entries.empty()) throw Failure("name entries by number or by what they block, or give --all");
  return out;
}

Exit decide(const Context& context, const Given& given, BlockState state) {
  BlockList list = open_list(given, true);
  const Instant time = now();
  const auto expires = given.expires.empty() ? std::nullopt : std::optional{parse_expiry(given.expires, time)};
  const auto entries = chosen(list, given, state == BlockState::revoked ? BlockState::approved : BlockState::proposed);
  if (state == BlockState::approved && !given.force) {
    const auto traffic = list.traffic();
    for (const BlockEntry& entry : entries) {
      const sensor::Hit hit = sensor::simulate(entry.target, traffic, wish_of(given));
      if (hit.innocent_flows > 0)
        throw Failure(
            fmt::format("entry {} ({}) would also have hit {} other flows: {}. Nothing was approved; --force "
                        "approves all the same",
                        entry.id, entry.target.text(), hit.innocent_flows, fmt::join(hit.innocent_names, ", ")),
            Exit::wrong);
    }
  }
  std::vector<BlockEntry> decided;
  for (const BlockEntry& entry : entries)
    decided.push_back(list.decide(entry.id, state, decider(given), time, expires));
  print_entries(context, decided);
  return Exit::ok;
}

// --- simulate --------------------------------------------------------------------------------------------------------

void write_hit(JsonWriter& json, const BlockEntry& entry, const sensor::Hit& hit) {
  const auto texts = [&](const char* name, const std::set<std::string>& values) {
    json.key(name).begin_array();
    for (const std::string& value : values) json.value(value);
    json.end_array();
  };
  json.begin_object().member("id", entry.id).member("kind", sensor::to_string(entry.target.kind));
  json.member("value", entry.target.text()).member("flows", hit.flows).member("bytes", hit.bytes);
  texts("clients", hit.clients);
  texts("applications", hit.applications);
  json.member("innocent_flows", hit.innocent_flows);
  texts("innocent", hit.innocent_names);
  json.end_object();
}

Exit simulate(const Context& context, const Given& given) {
  BlockList list = open_list(given, true);
  const BlockWish wish = wish_of(given);
  std::vector<BlockEntry> entries;
  for (const std::string& word : given.entries) {
    // A target that is in no entry yet may be tried too.
    const auto known = list.entries();
    const auto found = std::ranges::find_if(known, [&](const BlockEntry& entry) {
      return word == std::to_string(entry.id) || word == entry.target.text();
    });
    const auto target = BlockTarget::parse(word);
    if (found == known.end() && !target)
      throw Failure(
          fmt::format("{}: neither an entry nor something that can be blocked (192.0.2.1, tcp/192.0.2.1:5222, "
                      "tcp/1863, chat.example.net)",
                      word));
    BlockEntry made;
    if (target) made.target = *target;
    entries.push_back(found != known.end() ? *found : made);
  }
  if (given.entries.empty())
    for (const BlockEntry& entry : list.entries())
      if (entry.state == BlockState::proposed || entry.in_force(now())) entries.push_back(entry);
  const auto traffic = list.traffic(parse_since(given));
  std::uint64_t innocent = 0;
  std::string text;
  JsonWriter json{text};
  json.begin_object().key("entries").begin_array();
  for (const BlockEntry& entry : entries) {
    const sensor::Hit hit = sensor::simulate(entry.target, traffic, wish);
    innocent += hit.innocent_flows;
    write_hit(json, entry, hit);
    if (context.json) continue;
    context.out << fmt::format("{:>5}  {:<9} {}: {} flows, {} bytes of {} clients ({})\n", entry.id,
                               sensor::to_string(entry.target.kind), harmless(entry.target.text()), hit.flows,
                               hit.bytes, hit.clients.size(),
                               harmless(fmt::format("{}", fmt::join(hit.applications, ", "))));
    if (hit.innocent_flows > 0)
      context.out << fmt::format("       and {} flows of others: {}\n", hit.innocent_flows,
                                 harmless(fmt::format("{}", fmt::join(hit.innocent_names, ", "))));
  }
  json.end_array().member("innocent_flows", innocent).end_object();
  if (context.json)
    context.out << text << '\n';
  else
    context.out << fmt::format("{} entries; {} flows of others would have been hit.\n", entries.size(), innocent);
  return innocent == 0 ? Exit::ok : Exit::wrong;
}

// --- export ----------------------------------------------------------------------------------------------------------

Exit export_list(const Context& context, const Given& given) {
  const auto format = sensor::parse_block_format(given.format);
  if (!format) throw Failure(fmt::format("--format {}: expected {}", given.format, sensor::kBlockFormats));
  BlockList list = open_list(given, true);
  const Instant time = now();
  list.expire(time);
  const sensor::Exported exported = sensor::export_blocks(list.entries(), *format, time);
  if (exported.left_out > 0)
    context.err << fmt::format("chancery: {} of {} entries cannot be said in this format and were left out\n",
                               exported.left_out, exported.left_out + exported.written);
  if (!given.output.empty()) {
    OutputFile file{given.output};
    if (!file.write(exported.text)) throw Failure(fmt::format("{} cannot be written", given.output));
    file.finish();
  }
  if (context.json) {
    std::string text;
    JsonWriter json{text};
    json.begin_object()
        .member("format", given.format)
        .member("entries", exported.written)
        .member("left_out", exported.left_out);
    if (given.output.empty())
      json.member("text", exported.text);
    else
      json.member("file", given.output);
    json.end_object();
    context.out << text << '\n';
  } else if (given.output.empty()) {
    context.out << exported.text;
  }
  return Exit::ok;
}

// --- apply -----------------------------------------------------------------------------------------------------------

Exit apply_list(const Context& context, const Given& given) {
  BlockList list = open_list(given, true);
  const Instant time = now();
  list.expire(time);
  const auto lease = std::chrono::ceil<std::chrono::seconds>(parse_expiry(given.lease, time) - time);
  const std::string answer =
      watch::ask_enforcer(given.socket, sensor::write_apply_request(list.entries(), time, lease));
  const bool done = answer.starts_with("ok ");
  if (context.json) {
    std::string text;
    JsonWriter{text}.begin_object().member("applied", done).member("answer", answer).end_object();
    context.out << text << '\n';
  } else {
    (done ? context.out : context.err) << "enforcer: " << harmless(answer) << '\n';
  }
  return done ? Exit::ok : Exit::wrong;
}

// --- wiring ----------------------------------------------------------------------------------------------------------

void add_wish(CLI::App& command, Given& given) {
  add_repeatable(command, "--category", given.categories,
                 "What is unwanted: im, p2p, voip, web-im (default: im p2p web-im)");
  add_repeatable(command, "--allow", given.allowed, "Applications that are not unwanted, as reports name them");
  add_repeatable(command, "--inside", given.inside, "Our own networks (default: the private ranges)");
}

void add_propose(CLI::App& group, Context& context, const std::shared_ptr<Given>& given) {
  CLI::App* made = add_command(group, context, "propose", "Propose entries from traffic that was seen",
                               "  chancery blocks propose -d sensor -r monday.pcap\n"
                               "  chancery blocks propose -d sensor --allow Slack --never example.com\n"
                               "Without -r, from what the sensor has seen so far. An address that serves anything else "
                               "is never proposed by address.");
  made->add_option("-d,--dir", given->folder, "The sensor's folder")->capture_default_str();
  made->add_option("-r,--read", given->files, "Capture files to learn from first");
  add_repeatable(*made, "--hosts", given->hosts, "Lists of hosts of your own, besides the built-in one");
  add_repeatable(*made, "--gateway", given->gateways, "ADDRESS[:PORT] of the gateway: its traffic is managed");
  add_repeatable(*made, "--never", given->never, "Names, addresses or networks that are never proposed");
  made->add_option("--min-flows", given->flows_min, "Seen at least so often")->capture_default_str();
  made->add_option("--since", given->since, "Only traffic seen since then");
  add_wish(*made, *given);
  on_run(*made, context, [&context, given] { return propose(context, *given); });
}

void add_decision(CLI::App& group, Context& context, const std::shared_ptr<Given>& given, const char* name,
                  const char* what, const char* examples, BlockState state) {
  CLI::App* made = add_command(group, context, name, what, examples);
  made->add_option("-d,--dir", given->folder, "The sensor's folder")->capture_default_str();
  made->add_option("ENTRY", given->entries, "Numbers, or what is blocked");
  made->add_flag("--all", given->all, state == BlockState::revoked ? "All that are approved" : "All that are proposed");
  made->add_option("--by", given->by, "Who decides (default: your account)");
  if (state == BlockState::approved) {
    made->add_option("--expires", given->expires, "For how long (30d, 12h, 45m) or until when; default: for good");
    made->add_flag("--force", given->force, "Even if others would be hit");
    add_wish(*made, *given);
  }
  on_run(*made, context, [&context, given, state] { return decide(context, *given, state); });
}

}  // namespace

void add_blocks(CLI::App& root, Context& context) {
  CLI::App* group = add_group(root, context, "blocks", "The block list: propose, decide, simulate, export",
                              "  chancery blocks propose -d sensor -r monday.pcap\n"
                              "  chancery blocks approve -d sensor 1 2 --expires 30d\n"
                              "  chancery blocks export -d sensor --format nft");
  auto given = std::make_shared<Given>();
  CLI::App* made =
      add_command(*group, context, "list", "Show the entries",
                  "  chancery blocks list -d sensor\n  chancery blocks list -d sensor --state approved --json");
  made->add_option("-d,--dir", given->folder, "The sensor's folder")->capture_default_str();
  made->add_option("--state", given->state, "Only proposed, approved, rejected, revoked or expired");
  on_run(*made, context, [&context, given] { return list_entries(context, *given); });
  add_propose(*group, context, given);
  add_decision(
      *group, context, given, "approve", "Put proposed entries into force",
      "  chancery blocks approve -d sensor 3 --expires 30d\n  chancery blocks approve -d sensor chat.example.net\n"
      "Refused when the traffic seen so far says that others would be hit.",
      BlockState::approved);
  add_decision(*group, context, given, "reject", "Turn proposed entries down; they are not proposed again",
               "  chancery blocks reject -d sensor 3", BlockState::rejected);
  add_decision(*group, context, given, "revoke", "Take approved entries out of force",
               "  chancery blocks revoke -d sensor 3", BlockState::revoked);
  made = add_command(
      *group, context, "simulate", "Say what entries would have hit in the traffic seen so far",
      "  chancery blocks simulate -d sensor\n  chancery blocks simulate -d sensor 198.51.100.7 --since 2026-05-01\n"
      "Exit code 1: traffic of others would have been hit.");
  made->add_option("-d,--dir", given->folder, "The sensor's folder")->capture_default_str();
  made->add_option("ENTRY", given->entries, "Numbers, or what would be blocked (default: all entries)");
  made->add_option("--since", given->since, "Only traffic seen since then");
  add_wish(*made, *given);
  on_run(*made, context, [&context, given] { return simulate(context, *given); });
  made = add_command(*group, context, "export", "Write the approved entries in another program's words",
                     "  chancery blocks export -d sensor --format nft | nft -f -\n"
                     "  chancery blocks export -d sensor --format rpz -o /etc/bind/rpz.chancery");
  made->add_option("-d,--dir", given->folder, "The sensor's folder")->capture_default_str();
  made->add_option("--format", given->format, std::string{sensor::kBlockFormats})->required();
  made->add_option("-o,--output", given->output, "Write to this file, which appears when it is whole");
  on_run(*made, context, [&context, given] { return export_list(context, *given); });
  made = add_command(
      *group, context, "apply", "Have the enforcer refuse what is approved, in place of what it refused",
      "  chancery blocks apply -d sensor --socket /run/chancery/enforcer.sock\n"
      "Names are left out: DNS and proxies block those. Nothing is for good: repeat it before --for is over.\n"
      "Exit code 1: it was refused, and all is as it was.");
  made->add_option("-d,--dir", given->folder, "The sensor's folder")->capture_default_str();
  made->add_option("--socket", given->socket, "The enforcer's socket")->required();
  made->add_option("--for", given->lease, "At most so long (24h, 30m), a week at the longest")->capture_default_str();
  on_run(*made, context, [&context, given] { return apply_list(context, *given); });
}

}  // namespace chancery::app
