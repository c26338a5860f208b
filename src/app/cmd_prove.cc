// chancery prove: one record with everything an outsider needs to check it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>

#include "app/command.h"
#include "app/commands.h"
#include "archive/logs.h"
#include "archive/verify/bundle.h"
#include "core/json.h"
#include "merkle/decimal.h"
#include "merkle/tile.h"

namespace chancery::app {
namespace {

struct Given {
  ArchiveOption archive;
  std::string record, output;
  bool is_sealed = false;
};

struct Name {
  archive::Log log;
  std::uint64_t index = 0;
};

// "origin#index", or the index alone where there is one log.
Name find_record(const archive::Paths& paths, const std::string& record) {
  const auto logs = archive::list_logs(paths.archive);
  const auto mark = record.rfind('#');
  const auto index = merkle::parse_decimal(mark == record.npos ? record : std::string_view{record}.substr(mark + 1));
  if (!index) throw Failure{fmt::format("{}: a record is named LOG#INDEX, as `chancery search` prints it", record)};
  if (mark == record.npos) {
    if (logs.size() == 1) return {logs.front(), *index};
    throw Failure{fmt::format("{}: this archive has {} logs; name the record LOG#INDEX", record, logs.size())};
  }
  for (const archive::Log& log : logs)
    if (log.origin == record.substr(0, mark)) return {log, *index};
  throw Failure{fmt::format("there is no log {} here; the logs are {}", record.substr(0, mark),
                            fmt::join(archive::origins_of(logs), ", "))};
}

Buffer read_part(const std::string& file) {
  auto octets = journal::read_file(journal::posix_disk(), file, verify::kBundleSizeMax);
  if (!octets) throw Failure{fmt::format("{}: {}", file, octets.error().message())};
  return std::move(*octets);
}

merkle::InclusionProof prove_inclusion(const Name& name) {
  const Buffer checkpoint = read_part(name.log.folder + "/checkpoint");
  const auto held = verify::parse_held(checkpoint);
  if (!held) throw Failure{fmt::format("{}/checkpoint: {}", name.log.folder, held.error())};
  if (name.index >= held->head.size)
    throw Failure{fmt::format("record {} is not published yet: the newest checkpoint covers {} records", name.index,
                              held->head.size)};
  const auto nodes = merkle::node_reader(held->head.size, [&](const merkle::TileId& tile) {
    return journal::read_file(journal::posix_disk(), name.log.folder + "/" + merkle::path_of(tile), tile.size());
  });
  const auto proof = merkle::make_inclusion_proof(name.index, held->head.size, nodes);
  if (!proof)
    throw Failure{fmt::format("{}/tile: {}; `chancery verify` says more", name.log.folder, proof.error().message())};
  return {std::nullopt, name.index, *proof, checkpoint};
}

verify::Bundle make_bundle(const archive::Paths& paths, const Name& name, bool is_sealed) {
  auto keys = journal::KeyStore::open(journal::posix_disk(), paths.keys.string());
  auto reader = archive::open_reader(name.log, keys ? &*keys : nullptr);
  if (!reader) throw Failure{reader.error()};
  verify::Bundle bundle;
  bundle.proof = prove_inclusion(name);
  bundle.keys = read_part(name.log.folder + "/log.vkey");
  // What is published is durable, whatever the newest group header says.
  reader->set_limit(name.index + 1);
  const auto record = reader->at(name.index);
  if (!record) throw Failure{archive::describe(name.log, *reader, record.error())};
  bundle.leaf.assign(record->leaf_octets.data(), record->leaf_octets.size());
  if (is_sealed || record->body == journal::ReadRecord::Body::empty) return bundle;
  if (record->body != journal::ReadRecord::Body::clear)
    throw Failure{fmt::format(
        "record {} cannot be opened: {}. --sealed proves that it exists without saying what it says", name.index,
        record->body == journal::ReadRecord::Body::erased ? "it was erased" : "its key is not in the key store")};
  bundle.disclosed = verify::Disclosed{record->payload, record->salt};
  return bundle;
}

Exit run_prove(const Context& context, const Given& given) {
  const archive::Paths paths = given.archive.open();
  const Name name = find_record(paths, given.record);
  const verify::Bundle bundle = make_bundle(paths, name, given.is_sealed);
  const Buffer text = bundle.encode();
  const verify::Report report = verify::verify_bundle(text, {});
  if (!report.findings.empty()) throw Failure{report.text(), Exit::wrong};
  if (!given.output.empty()) {
    std::ofstream out{given.output, std::ios::binary};
    if (!(out << text).flush()) throw Failure{fmt::format("{}: cannot be written", given.output)};
  }
  if (context.json) {
    std::string json;
    JsonWriter{json}
        .begin_object()
        .member("record", fmt::format("{}#{}", name.log.origin, name.index))
        .member("size", report.logs.front().published)
        .member("bundle", text)
        .end_object();
    context.out << json << '\n';
  } else if (given.output.empty()) {
    context.out << text;
  } else {
    context.out << fmt::format("{}#{} with its proof under the checkpoint over {} records is in {}\n", name.log.origin,
                               name.index, report.logs.front().published, given.output);
  }
  return Exit::ok;
}

}  // namespace

void add_prove(CLI::App& root, Context& context) {
  auto given = std::make_shared<Given>();
  CLI::App* command =
      add_command(root, context, "prove", "Write a record with its proof, for someone who does not have the archive",
                  "  chancery prove -d /srv/archive -o record.bundle demo/gateway-1/00000001-9f3ac2d1#4711\n"
                  "  chancery prove -d demo 17 --sealed\n"
                  "Check it with: chancery verify record.bundle --key log.pub");
  add_archive_option(*command, given->archive);
  command->add_option("RECORD", given->record, "LOG#INDEX, or INDEX where there is one log")->required();
  command->add_option("-o,--output", given->output, "File to write instead of standard output");
  command->add_flag("--sealed", given->is_sealed,
                    "Do not say what the record says: only that it exists, and since when");
  on_run(*command, context, [&context, given] { return run_prove(context, *given); });
}

}  // namespace chancery::app
