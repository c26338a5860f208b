// How many messages a second one core reads in each protocol that is only watched: 120 octets of text, both ways.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <vector>

#include "codec/msnp/msnp.h"
#include "codec/oscar/oscar.h"
#include "codec/ymsg/ymsg.h"

namespace chancery {
namespace {

constexpr int kBatch = 32;  // messages in one segment
const std::string kText(120, 'x');

Buffer two(std::size_t value) { return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)}; }

Buffer oscar_message(std::string_view html_before, std::string_view html_after) {
  const Buffer text = fmt::format("{}{}{}", html_before, kText, html_after);
  const Buffer fragment = Buffer{"\1\1", 2} + two(text.size() + 4) + Buffer(4, '\0') + text;
  const Buffer snac = Buffer{"\0\4\0\6\0\0\0\0\0\1", 10} + "12345678" + Buffer{"\0\1\3bob", 6} + Buffer{"\0\2", 2} +
                      two(fragment.size()) + fragment;
  return Buffer{"*\2\0\1", 4} + two(snac.size()) + snac;
}

Buffer msnp_message() {
  const std::string body =
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
      "X-MMS-IM-Format: FN=Segoe%20UI; EF=; CO=0; PF=0; RL=0\r\n\r\n" +
      kText;
  return fmt::format("MSG 5 A {}\r\n{}", body.size(), body);
}

Buffer ymsg_message() {
  const Buffer end{"\xc0\x80"};
  const Buffer body =
      "5" + end + "bob" + end + "1" + end + "alice" + end + "14" + end + kText + end + "97" + end + "1" + end;
  return Buffer{"YMSG\0\x10\0\0", 8} + two(body.size()) + Buffer{"\0\6\0\0\0\1\0\0\0\0", 10} + body;
}

void run(benchmark::State& state, const Protocol& protocol, const Buffer& message, const Buffer& before = {}) {
  Start start;
  start.passive = true;
  const auto codec = protocol.make(Limits{}, start);
  std::vector<Unit> units;
  codec->feed(Side::client, before, Instant{}, Boundary::stream, units);
  Buffer batch;
  for (int i = 0; i < kBatch; ++i) batch += message;
  for (auto _ : state) {
    units.clear();
    codec->feed(Side::client, batch, Instant{}, Boundary::stream, units);
    if (units.size() != kBatch || units.front().events.size() != 1) state.SkipWithError("a message was not read");
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
}

void oscar_plain(benchmark::State& state) { run(state, oscar::kProtocol, oscar_message("", "")); }
void oscar_html(benchmark::State& state) {
  run(state, oscar::kProtocol, oscar_message("<HTML><BODY><FONT LANG=\"0\">", "</FONT></BODY></HTML>"));
}
void msnp_text(benchmark::State& state) {
  run(state, msnp::kProtocol, msnp_message(), "USR 1 alice@example.org 1.2\r\nCAL 2 bob@example.org\r\n");
}
void ymsg_text(benchmark::State& state) { run(state, ymsg::kProtocol, ymsg_message()); }

BENCHMARK(oscar_plain);
BENCHMARK(oscar_html);
BENCHMARK(msnp_text);
BENCHMARK(ymsg_text);

}  // namespace
}  // namespace chancery

BENCHMARK_MAIN();
