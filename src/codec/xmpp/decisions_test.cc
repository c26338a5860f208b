// Whatever policy decides: played over every transcript with random decisions.
#include <gtest/gtest.h>
#include <random>

#include "codec/testing/transcript.h"
#include "codec/wire/xml.h"
#include "codec/xmpp/testing.h"

namespace chancery::xmpp {
namespace {

// What leaves for one side, read as strictly as the codec itself reads.
class Reader {
 public:
  void take(Bytes octets) {
    scanner_.feed(octets);
    while (const auto item = scanner_.next()) {
      if (item->kind != xml::Item::Kind::stanza) continue;
      stanzas.emplace_back(item->wire);
      // RFC 6120 §6.4.6: both sides open a new stream.
      if (item->element.name() == "success") restarted = true;
    }
    if (scanner_.error()) ADD_FAILURE() << scanner_.error().message() << " in: " << octets;
  }
  void restart() { scanner_.discard_and_restart(); }

  std::vector<Buffer> stanzas;
  bool restarted = false;

 private:
  Limits limits_;
  xml::Scanner scanner_{limits_};
};

class Play {
 public:
  using Decide = std::function<Decision(const Event&)>;

  Play(const testing::Transcript& transcript, Decide decide)
      : shared_(kProtocol.make_shared(transcript.limits)), decide_(std::move(decide)) {
    Start start = transcript.start;
    start.shared = shared_.get();
    codec_ = kProtocol.make(transcript.limits, start);
    for (const testing::Step& step : transcript.steps) play(step);
  }

  const std::string& leaked() const { return leaked_; }
  Reader& reader(Side side) { return readers_[static_cast<std::size_t>(side)]; }

 private:
  void play(const testing::Step& step) {
    std::vector<Unit> units;
    Outbox out;
    if (step.what == testing::Step::What::feed) {
      EXPECT_FALSE(codec_->feed(step.side, step.octets, {}, Boundary::stream, units));
    }
    if (step.what == testing::Step::What::inject) codec_->inject(step.side, step.octets, nullptr, out);
    for (Unit& unit : units) {
      std::vector<Decision> decisions;
      for (const Event& event : unit.events) decisions.push_back(decide_(event));
      const std::vector<Event> events = unit.events;
      const std::size_t before = out.steps().size();
      codec_->release(std::move(unit), decisions, out);
      look_for(events, decisions, std::span{out.steps()}.subspan(before == 0 ? 0 : before - 1));
    }
    for (const Step& said : out.steps()) {
      if (said.what == Step::What::send) reader(said.side).take(said.octets);
      if (said.what == Step::What::start_tls) reader(said.side).restart();
    }
    if (!reader(Side::client).restarted) return;
    reader(Side::client).restarted = false;
    for (Reader& reader : readers_) reader.restart();
  }

  // A masked word that stands anywhere in what was sent for it. Words of a few letters stand in markup by chance.
  void look_for(std::span<const Event> events, std::span<const Decision> decisions, std::span<const Step> said) {
    constexpr std::size_t kWordMin = 4;
    for (std::size_t i = 0; i < events.size(); ++i)
      for (const Mask& mask : decisions[i].masks) {
        const Bytes word = Bytes{events[i].texts[mask.part].text}.substr(mask.begin, mask.end - mask.begin);
        if (decisions[i].verdict != Verdict::redact || word.size() < kWordMin) continue;
        for (const Step& step : said)
          if (step.octets.find(word) != Buffer::npos)
            leaked_.append(word).append(" in ").append(step.octets).append("\n");
      }
  }

  std::string leaked_;
  std::unique_ptr<Shared> shared_;
  std::unique_ptr<Codec> codec_;
  Decide decide_;
  std::array<Reader, 2> readers_;
};

std::vector<testing::Transcript> transcripts() {
  std::vector<testing::Transcript> all;
  for (const auto& file : testing::list_transcripts(CHANCERY_TESTDATA)) {
    auto transcript = testing::load_transcript(file);
    if (transcript && !transcript->start.passive) all.push_back(std::move(*transcript));
  }
  return all;
}

TEST(xmpp_decisions, both_sides_get_well_formed_streams_whatever_is_decided) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random{seed};
  ASSERT_FALSE(transcripts().empty());
  for (const testing::Transcript& transcript : transcripts()) {
    for (int run = 0; run < 20; ++run) {
      Play play{transcript, [&random](const Event& event) {
                  Decision decision;
                  if (event.kind == Kind::sign_in) return decision;
                  decision.verdict = static_cast<Verdict>(1 + random() % 5);
                  decision.notice = "Not <here> & 'now' \"or\" \x01 \xff ever";
                  for (std::uint32_t part = 0; part < event.texts.size(); ++part) {
                    const auto size = static_cast<std::uint32_t>(event.texts[part].text.size());
                    const auto begin = static_cast<std::uint32_t>(random() % (size + 1));
                    const auto end = static_cast<std::uint32_t>(begin + random() % (size + 1 - begin));
                    if (begin < end) decision.masks.push_back({part, begin, end});
                  }
                  return decision;
                }};
    }
  }
}

// Every word of every text is masked: then no stanza that leaves holds any of them, in whatever payload.
TEST(xmpp_decisions, what_is_masked_leaves_in_no_copy) {
  for (const testing::Transcript& transcript : transcripts()) {
    Play play{transcript, [](const Event& event) {
                Decision decision;
                for (std::uint32_t part = 0; part < event.texts.size(); ++part) {
                  decision.verdict = Verdict::redact;
                  decision.masks.push_back({part, 0, static_cast<std::uint32_t>(event.texts[part].text.size())});
                }
                return decision;
              }};
    EXPECT_EQ(play.leaked(), "") << "text that was masked";
  }
}

TEST(xmpp_decisions, refuse_everything_and_nothing_of_it_leaves) {
  for (const testing::Transcript& transcript : transcripts()) {
    Play play{transcript, [](const Event& event) {
                Decision decision;
                if (event.kind != Kind::sign_in) decision.verdict = Verdict::refuse;
                return decision;
              }};
    for (const Buffer& stanza : play.reader(Side::server).stanzas)
      EXPECT_EQ(stanza.find("<body"), Buffer::npos) << stanza;
    for (const Buffer& stanza : play.reader(Side::client).stanzas) {
      const bool notice = stanza.find("-1'>") != Buffer::npos || stanza.find("-2'>") != Buffer::npos;
      EXPECT_TRUE(notice || stanza.find("<body") == Buffer::npos) << stanza;
    }
  }
}

}  // namespace
}  // namespace chancery::xmpp
