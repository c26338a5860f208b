// The harness is tested with a protocol made for it, right and with one mistake at a time: each mistake must be found.
#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/testing/check.h"
#include "codec/testing/escape.h"
#include "codec/testing/event_text.h"
#include "codec/testing/fuzz.h"
#include "codec/testing/player.h"

namespace chancery::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Mistake : std::uint8_t {
  none,
  depends_on_chunks,
  loses_octets,
  early_unit,
  error_not_sticky,
  unit_from_cut_line,
  sensor_differs,
};

// Lines of "say TEXT\n" are messages; anything else carries nothing. A line over the limit is an error.
template <Mistake mistake>
class Toy final : public Codec {
 public:
  Toy(const Limits& limits, const Start& start) : limits_(limits), start_(start) {}

  std::error_code feed(Side from, Bytes in, Instant, Boundary, std::vector<Unit>& out) override {
    auto& [buffer, error] = sides_[static_cast<std::size_t>(from)];
    if (error) return error;
    if (mistake == Mistake::depends_on_chunks && in.size() == 3) return {};
    buffer += in;
    if (mistake == Mistake::early_unit && buffer == "say") {
      out.push_back(line(from, "say early\n"));
      return {};
    }
    for (std::size_t end = buffer.find('\n'); end != Buffer::npos; end = buffer.find('\n')) {
      if (end + 1 > limits_.unit_size_max) break;
      out.push_back(line(from, buffer.substr(0, end + 1)));
      buffer.erase(0, end + 1);
    }
    if (std::min(buffer.find('\n'), buffer.size()) < limits_.unit_size_max) return {};
    const std::error_code found = make_error_code(CodecError::too_large);
    if (mistake != Mistake::error_not_sticky) error = found;
    buffer.clear();
    return found;
  }

  void gap(Side from, std::uint64_t) override { sides_[static_cast<std::size_t>(from)].first.clear(); }

  std::error_code finish(Side from, std::vector<Unit>& out) override {
    const Buffer& rest = sides_[static_cast<std::size_t>(from)].first;
    if (rest.empty()) return {};
    if (mistake == Mistake::unit_from_cut_line) out.push_back(line(from, rest));
    return make_error_code(CodecError::malformed);
  }

  void release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) override {
    if (!decisions.empty() && decisions[0].verdict == Verdict::refuse)
      return out.send(unit.from, "no: " + decisions[0].notice + "\n");
    for (const Mask& mask : decisions.empty() ? std::vector<Mask>{} : decisions[0].masks)
      for (std::uint32_t i = mask.begin; i < mask.end; ++i) unit.wire[4 + i] = '*';
    out.send(other(unit.from), unit.wire);
    if (unit.wire == "bye\n") out.close(unit.from);
  }

  bool inject(Side to, std::string_view text, const Event* about, Outbox& out) override {
    out.send(to, fmt::format("notice{}: {}\n", about ? " for " + about->from : "", text));
    return true;
  }
  void end(Ending, std::error_code, Outbox& out) override { out.close(Side::client); }
  std::size_t memory() const override { return sizeof *this; }

 private:
  Unit line(Side from, const Buffer& wire) const {
    Unit unit;
    unit.from = from;
    unit.wire = mistake == Mistake::loses_octets && wire == "\n" ? " \n" : wire;
    if (!wire.starts_with("say ")) return unit;
    Event& event = unit.events.emplace_back();
    event.from = mistake == Mistake::sensor_differs && start_.passive ? "sensor" : "toy";
    TextPart& part = event.texts.emplace_back();
    part.text = wire.substr(4, wire.size() - 5);
    const auto size = static_cast<std::uint32_t>(part.text.size());
    part.segments.push_back({0, size, 4, 4 + size});
    if (part.text.starts_with("key ")) unit.secrets.push_back({8, 4 + size, "key"});
    return unit;
  }

  Limits limits_;
  Start start_;
  std::array<std::pair<Buffer, std::error_code>, 2> sides_;
};

template <Mistake mistake>
constexpr Protocol kToy{"toy",
                        {},
                        nullptr,
                        [](const Limits& limits, const Start& start) -> std::unique_ptr<Codec> {
                          return std::make_unique<Toy<mistake>>(limits, start);
                        },
                        nullptr,
                        false};

constexpr std::string_view kPlain =
    "# Two people talk.\n"
    "protocol: toy\n"
    "\n"
    "C| say hello\\n\n"
    "  = message direct from=toy body=\"hello\"\n"
    "C| \\n\n"
    "  = nothing\n"
    "# And the answer, in two pieces.\n"
    "S| say gr\n"
    "S| üezi\\nsay key 123\\n\n"
    "  = message direct from=toy body=\"grüezi\"\n"
    "  = message direct from=toy body=\"key 123\"\n"
    "  * key \"123\"\n";

constexpr std::string_view kDecided =
    "protocol: toy\n"
    "limit: unit_size_max 30\n"
    "\n"
    "C| say bad\\nsay a word, a word\\nsay fine\\n\n"
    "  = message direct from=toy body=\"bad\"\n"
    "  ! refuse \"not here\"\n"
    "  > C: no: not here\\n\n"
    "  = message direct from=toy body=\"a word, a word\"\n"
    "  ! redact \"word\"\n"
    "  > S: say a ****, a ****\\n\n"
    "  = message direct from=toy body=\"fine\"\n"
    "inject-about: C mind\n"
    "  > C: notice for toy: mind\\n\n"
    "C| bye\\n\n"
    "  = nothing\n"
    "  > pass\n"
    "  > close C\n"
    "C| \\*40{x}\n"
    "  error too_large\n"
    "# The end.\n";

std::vector<std::string> check(const Protocol& protocol, std::string_view text) {
  const auto transcript = parse_transcript(text);
  if (!transcript) return {transcript.error()};
  return check_transcript(protocol, *transcript, "test", 7);
}

std::string first_failure(const Protocol& protocol, std::string_view text) {
  const auto failures = check(protocol, text);
  return failures.empty() ? "" : failures.front();
}

TEST(Check, a_right_codec_passes) {
  EXPECT_THAT(check(kToy<Mistake::none>, kPlain), IsEmpty());
  EXPECT_THAT(check(kToy<Mistake::none>, kDecided), IsEmpty());
}

TEST(Check, a_wrong_expectation_is_found) {
  std::string wrong{kPlain};
  wrong.replace(wrong.find("body=\"hello\""), 12, "body=\"hallo\"");
  EXPECT_THAT(first_failure(kToy<Mistake::none>, wrong), HasSubstr("line 4: expected"));
}

TEST(Check, each_mistake_is_found) {
  EXPECT_THAT(first_failure(kToy<Mistake::depends_on_chunks>, kPlain), HasSubstr("pieces"));
  EXPECT_THAT(first_failure(kToy<Mistake::loses_octets>, kPlain), HasSubstr("octets are not the input"));
  EXPECT_THAT(first_failure(kToy<Mistake::early_unit>, kPlain), HasSubstr("byte by byte"));
  EXPECT_THAT(first_failure(kToy<Mistake::error_not_sticky>, std::string{kDecided} + "C| x\n"), HasSubstr("error"));
  EXPECT_THAT(first_failure(kToy<Mistake::unit_from_cut_line>, kPlain), HasSubstr("no beginning of"));
  EXPECT_THAT(first_failure(kToy<Mistake::sensor_differs>, kPlain), HasSubstr("but the sensor"));
}

TEST(Check, a_decision_for_no_event_is_found) {
  EXPECT_THAT(first_failure(kToy<Mistake::none>, "protocol: toy\nC| x\\n\n  = nothing\n  ! 2 refuse \"no\"\n"),
              HasSubstr("a decision for event 2 of 0"));
}

TEST(Transcript, formatting_gives_back_what_was_parsed) {
  for (const std::string_view text : {kPlain, kDecided}) {
    const auto transcript = parse_transcript(text);
    ASSERT_TRUE(transcript.has_value()) << transcript.error();
    EXPECT_EQ(format_transcript(*transcript), text);
  }
}

TEST(Transcript, settings_are_read) {
  const auto t = parse_transcript(
      "protocol: toy\nlines: crlf\nclient_tls: starttls\nserver_tls: direct\nmode: midstream\nclient_host: im.test\n"
      "nonce: 00ff\nrecord_presence: yes\npassive: yes\nlimit: depth_max 3\ntime: 2026-05-03T09:00:00Z\n"
      "C: a\nC| b\nclock: +250ms\ngap: S 12\nfinish: C\nend: idle\n");
  ASSERT_TRUE(t.has_value()) << t.error();
  EXPECT_EQ(t->start.client_tls, Start::Tls::starttls);
  EXPECT_EQ(t->start.server_tls, Start::Tls::direct);
  EXPECT_EQ(t->start.mode, Start::Mode::midstream);
  EXPECT_EQ(t->start.client_host, "im.test");
  EXPECT_EQ(t->start.nonce, "00ff");
  EXPECT_TRUE(t->start.record_presence);
  EXPECT_TRUE(t->start.passive);
  EXPECT_EQ(t->limits.depth_max, 3U);
  EXPECT_EQ(to_rfc3339(t->begin), "2026-05-03T09:00:00.000000Z");
  ASSERT_EQ(t->steps.size(), 6U);
  EXPECT_EQ(t->steps[0].octets, "a\r\n");
  EXPECT_EQ(t->steps[1].octets, "b");
  EXPECT_EQ(t->steps[2].advance, std::chrono::milliseconds{250});
  EXPECT_EQ(t->steps[3].lost, 12U);
  EXPECT_EQ(t->steps[3].side, Side::server);
  EXPECT_EQ(t->steps[4].what, Step::What::finish);
  EXPECT_EQ(t->steps[5].ending, Codec::Ending::idle);
}

TEST(Transcript, an_error_names_its_line_and_what_would_be_valid) {
  const auto error = [](std::string_view text) {
    const auto t = parse_transcript(text);
    return t ? std::string{"(no error)"} : t.error();
  };
  EXPECT_EQ(error("C: x\n"), "no `protocol:`");
  EXPECT_THAT(error("protocol: toy\nlines: lf\n"), HasSubstr("line 2: lines: \"lf\" is none of: crlf, none"));
  EXPECT_THAT(error("protocol: toy\nC: \\q\n"), HasSubstr("line 2: unknown escape \\q"));
  EXPECT_THAT(error("protocol: toy\n  = nothing\n"), HasSubstr("line 2: an expectation before the first step"));
  EXPECT_THAT(error("protocol: toy\nC: x\n  ! burn\n"), HasSubstr("is none of: forward, flag, redact, refuse, hold"));
  EXPECT_THAT(error("protocol: toy\nC: x\n  ! redact \"x\n"), HasSubstr("without its closing quote"));
  EXPECT_THAT(error("protocol: toy\nC: x\nlimit: depth_max 3\n"), HasSubstr("settings come before the first step"));
  EXPECT_THAT(error("protocol: toy\nwhat\n"), HasSubstr("line 2: neither"));
  EXPECT_THAT(error("protocol: toy\nclock: 3\n"), HasSubstr("a clock step is"));
}

TEST(Transcript, words_to_redact_become_masks_in_order) {
  DecisionSpec spec;
  spec.verdict = Verdict::redact;
  spec.words = {"b", "a"};
  Event event;
  event.texts.resize(2);
  event.texts[0].text = "ab";
  event.texts[1].text = "xa";
  const std::vector<Mask> expected{{0, 0, 1}, {0, 1, 2}, {1, 1, 2}};
  EXPECT_EQ(spec.decide(event).masks, expected);
}

TEST(Escape, unescape_undoes_escape_for_every_octet) {
  Buffer all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  all += "grüezi ";
  EXPECT_EQ(unescape(escape(all)), all);
  const std::string quoted = quote(all);
  EXPECT_EQ(unescape(quoted.substr(1, quoted.size() - 2)), all);
}

TEST(Escape, what_is_not_readable_is_written_in_hex) {
  EXPECT_EQ(escape("a\r\n\t\\ü\xff\x01"), "a\\r\\n\\t\\\\ü\\xff\\x01");
  EXPECT_EQ(escape("end "), "end\\x20");
  EXPECT_EQ(quote("say \"hi\" "), "\"say \\\"hi\\\" \"");
  EXPECT_EQ(word("alice!a@h"), "alice!a@h");
  EXPECT_EQ(word("two words"), "\"two words\"");
  EXPECT_EQ(word(""), "\"\"");
}

TEST(Escape, repeats_are_bounded) {
  EXPECT_EQ(unescape("a\\*3{xy}b"), "axyxyxyb");
  EXPECT_FALSE(unescape("\\*99999999{x}").has_value());
  EXPECT_FALSE(unescape("\\*3{x").has_value());
  EXPECT_FALSE(unescape("\\*{x}").has_value());
}

TEST(Escape, blocks_are_measured) {
  EXPECT_EQ(unescape("\\#2{ab\\~1{c}}d"), (Buffer{"\0\4ab\1cd", 7}));
  EXPECT_EQ(unescape("\\~4{ab}"), (Buffer{"\2\0\0\0ab", 6}));
  EXPECT_EQ(unescape("\\#2-3{abcde}"), (Buffer{"\0\2abcde", 7}));
  EXPECT_EQ(unescape("MSG 1 A \\#0{hello}"), "MSG 1 A 5\r\nhello");
  EXPECT_EQ(unescape("\\h{00 2a}\\;"), (Buffer{"\0*\xc0\x80", 4}));
  EXPECT_EQ(unescape("\\U{aü}\\L{€}"), (Buffer{"\0a\0\xfc\xac\x20", 6}));
  for (const char* bad : {"\\#2", "\\#2{a", "\\#9{a}", "\\#2-3{a}", "\\h{0}", "\\U{😀}"})
    EXPECT_FALSE(unescape(bad).has_value()) << bad;
}

TEST(EventText, every_field_is_shown) {
  Event event;
  event.kind = Kind::file_offer;
  event.scope = Scope::room;
  event.copy = Copy::archive;
  event.accepted = false;
  event.action = true;
  event.from = "a";
  event.from_device = "a/1";
  event.to = {"b", "c d"};
  event.room = "r";
  event.id = "1";
  event.origin_id = "2";
  event.ref = "3";
  event.thread = "4";
  event.present = {"a", "b"};
  event.stated_time = Instant{};
  event.seal = "otr";
  event.detail = "why";
  event.files.push_back({"n", 5, "text/plain", "sha-256:00", "dcc", "h:1"});
  event.texts.push_back({TextPart::Role::subject, "de", "tüx", {{0, 1, 2, 3}, {1, 4, 5, 9}}});
  EXPECT_EQ(to_line(event, "0123456789"),
            "file_offer room copy=archive not-accepted action from=a device=a/1 to=[b \"c d\"] room=r id=1 origin=2 "
            "ref=3 thread=4 present=[a b] stated=1970-01-01T00:00:00.000000Z seal=otr detail=\"why\" "
            "file={name=n size=5 type=text/plain digest=sha-256:00 method=dcc url=h:1} "
            "subject:de=\"tüx\" segments=[0-1@2-3 1-4@5-9]");
}

TEST(Fuzz, a_transcript_becomes_an_input_that_holds) {
  const auto transcript = parse_transcript(kPlain);
  ASSERT_TRUE(transcript.has_value());
  const Buffer input = to_fuzz_input(*transcript);
  EXPECT_THAT(input, HasSubstr("say hello\n"));
  const auto nothing = [](const Unit&) { return false; };
  EXPECT_EQ(fuzz_codec(kToy<Mistake::none>, input, nothing), 0);
  EXPECT_DEATH(fuzz_codec(kToy<Mistake::early_unit>, Buffer{"\0\0\0\5\0say \n", 10}, nothing), "chunking never");
}

}  // namespace
}  // namespace chancery::testing
