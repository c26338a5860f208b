// What the XMPP codec costs a stanza: read (scan, classify, make events) and release (forward as it came), as a gateway
// drives it. `./dev bench xmpp`. The bare scanner on the same octets is the floor.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <memory>
#include <string>
#include <vector>

#include "codec/wire/xml.h"
#include "codec/xmpp/xmpp.h"

namespace {

using namespace chancery;

constexpr std::string_view kHeader =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='im.test' version='1.0'>";
constexpr int kStanzas = 64;

std::string messages(std::string_view from, std::string_view to) {
  std::string out;
  for (int i = 0; i < kStanzas; ++i)
    out += fmt::format(
        "<message from='{}' to='{}' type='chat' id='{:08x}-41c2'><body>The quick brown fox jumps over the lazy dog, "
        "and "
        "then it is Bob&apos;s turn to answer: {} of 64, please.</body><active "
        "xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>",
        from, to, i, i);
  return out;
}

// A codec whose client is signed in.
std::unique_ptr<Codec> signed_in() {
  auto codec = xmpp::kProtocol.make(Limits{}, Start{});
  const auto feed = [&](Side side, std::string_view octets) {
    std::vector<Unit> units;
    Outbox out;
    codec->feed(side, octets, {}, Boundary::stream, units);
    for (Unit& unit : units) {
      const std::vector<Decision> decisions(unit.events.size());
      codec->release(std::move(unit), decisions, out);
    }
  };
  feed(Side::client, kHeader);
  feed(Side::server, kHeader);
  feed(Side::client, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>");
  feed(Side::server, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  feed(Side::client, kHeader);
  feed(Side::server, kHeader);
  feed(Side::client, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  feed(
      Side::server,
      "<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>alice@im.test/x</jid></bind></iq>");
  return codec;
}

void report(benchmark::State& state, std::size_t octets) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets));
  state.SetItemsProcessed(state.iterations() * kStanzas);
}

void scanner(benchmark::State& state) {
  const std::string octets = messages("alice@im.test/x", "bob@im.test");
  xml::Scanner scanner{Limits{}};
  scanner.feed(kHeader);
  while (scanner.next()) {
  }
  for (auto _ : state) {
    scanner.feed(octets);
    while (const auto item = scanner.next()) benchmark::DoNotOptimize(item->element);
  }
  report(state, octets.size());
}
BENCHMARK(scanner);

void codec(benchmark::State& state, Side from, bool release) {
  const std::string octets = from == Side::client ? messages("alice@im.test/x", "bob@im.test")
                                                  : messages("bob@im.test/phone", "alice@im.test/x");
  const auto codec = signed_in();
  std::vector<Unit> units;
  std::vector<Decision> decisions;
  Outbox out;
  for (auto _ : state) {
    units.clear();
    if (codec->feed(from, octets, {}, Boundary::stream, units)) return state.SkipWithError("refused");
    for (Unit& unit : units) {
      if (unit.events.size() != 1) return state.SkipWithError("not one event a message");
      if (!release) continue;
      decisions.resize(unit.events.size());
      codec->release(std::move(unit), decisions, out);
    }
    benchmark::DoNotOptimize(out.steps().data());
    out.clear();
  }
  report(state, octets.size());
}
BENCHMARK_CAPTURE(codec, read_client, Side::client, false);
BENCHMARK_CAPTURE(codec, read_and_forward_client, Side::client, true);
BENCHMARK_CAPTURE(codec, read_and_forward_server, Side::server, true);

}  // namespace

BENCHMARK_MAIN();
