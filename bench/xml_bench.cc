// The stanza scanner beside expat with namespaces, on the same octets in the same run: `./dev bench xml`.
// Both see a stream fed in reads of 16 KiB. The scanner gives a checked tree with offsets; expat gives events, and here
// nobody keeps them: its figure is a floor for what a codec on expat would cost.
#include <benchmark/benchmark.h>
#include <expat.h>
#include <fmt/format.h>
#include <string>

#include "codec/wire/xml.h"

namespace {

using namespace chancery;

constexpr std::size_t kReadSize = 16'384;
constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='im.test' version='1.0'>";

// What usual clients send: 1:1 messages with markers, a room's message, presence, an iq, XEP-0198 counters.
std::string stanzas(std::size_t octets) {
  std::string out;
  for (int i = 0; out.size() < octets; ++i) {
    out += fmt::format(
        "<message to='bob@im.test/phone' from='alice@im.test/laptop' type='chat' id='{:08x}-41c2' xml:lang='en'>"
        "<body>The quick brown fox jumps over the lazy dog, and then it is Bob&apos;s turn to answer: {} of 9.</body>"
        "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>"
        "<origin-id xmlns='urn:xmpp:sid:0' id='{:08x}-41c2'/></message>",
        i, i % 9, i);
    if (i % 4 == 0) out += fmt::format("<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='{}'/>", i);
    if (i % 8 == 0)
      out += fmt::format(
          "<message from='ops@rooms.im.test/carol' to='alice@im.test/laptop' type='groupchat' id='m{}'>"
          "<body>Gr\u00fc\u00dfe aus K\u00f6ln \u2014 \u4f60\u597d</body></message>"
          "<presence from='dave@im.test/x'><show>away</show><priority>5</priority>"
          "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://im.test' ver='q07IKJEyjvHSyhy='/>"
          "</presence><iq type='get' id='p{}' to='im.test'><ping xmlns='urn:xmpp:ping'/></iq>",
          i, i);
  }
  return out;
}

void scanner(benchmark::State& state) {
  const std::string octets = stanzas(1 << 20);
  std::size_t count = 0;
  for (auto _ : state) {
    xml::Scanner scanner{Limits{}};
    scanner.feed(kHeader);
    while (scanner.next()) {
    }
    for (std::size_t at = 0; at < octets.size(); at += kReadSize) {
      scanner.feed(Bytes(octets).substr(at, kReadSize));
      while (const auto item = scanner.next()) {
        benchmark::DoNotOptimize(item->element);
        ++count;
      }
    }
    if (scanner.error()) return state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets.size()));
  state.counters["stanzas/s"] = benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsRate);
}
BENCHMARK(scanner);

// One stanza a read: how interactive traffic comes. The gap to `scanner` is the cost of an idle scanner's small memory.
void scanner_one_stanza_a_read(benchmark::State& state) {
  const std::string octets = stanzas(1);
  const Bytes stanza = Bytes(octets).substr(0, octets.find("</message>") + 10);
  xml::Scanner scanner{Limits{}};
  scanner.feed(kHeader);
  while (scanner.next()) {
  }
  for (auto _ : state) {
    scanner.feed(stanza);
    while (const auto item = scanner.next()) benchmark::DoNotOptimize(item->element);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stanza.size()));
}
BENCHMARK(scanner_one_stanza_a_read);

void expat(benchmark::State& state) {
  const std::string octets = stanzas(1 << 20);
  std::size_t count = 0;
  for (auto _ : state) {
    const XML_Parser parser = XML_ParserCreateNS("UTF-8", '\x01');
    XML_SetUserData(parser, &count);
    XML_SetElementHandler(
        parser, [](void* seen, const XML_Char*, const XML_Char**) { ++*static_cast<std::size_t*>(seen); },
        [](void*, const XML_Char*) {});
    XML_SetCharacterDataHandler(parser, [](void*, const XML_Char* text, int) { benchmark::DoNotOptimize(text); });
    XML_Parse(parser, kHeader.data(), static_cast<int>(kHeader.size()), XML_FALSE);
    for (std::size_t at = 0; at < octets.size(); at += kReadSize) {
      const Bytes chunk = Bytes(octets).substr(at, kReadSize);
      if (XML_Parse(parser, chunk.data(), static_cast<int>(chunk.size()), XML_FALSE) != XML_STATUS_OK)
        return state.SkipWithError("refused");
    }
    XML_ParserFree(parser);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(octets.size()));
}
BENCHMARK(expat);

}  // namespace

BENCHMARK_MAIN();
