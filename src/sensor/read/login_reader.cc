#include "sensor/read/login_reader.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/encoding.h"
#include "core/utf8.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kLineMax = 1'024;     // longer ones are not commands
constexpr std::size_t kOctetsMax = 65'536;  // of the client, without a sign-in: no more is expected

struct Known {
  std::string_view application, protocol;
};
// As nDPI calls them.
constexpr std::array kKnown = std::to_array<Known>(
    {{"FTP_CONTROL", "ftp"}, {"FTP", "ftp"}, {"POP3", "pop3"}, {"POP", "pop3"}, {"IMAP", "imap"}, {"SMTP", "smtp"}});

std::string upper(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (rest.starts_with('"')) {  // IMAP's quoted string, without escapes
    const std::size_t end = std::min(rest.find('"', 1), rest.size());
    const std::string_view word = rest.substr(1, end - 1);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
  }
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

class LoginReader final : public FlowReader {
 public:
  LoginReader(Reading& reading, const FlowView& flow, std::string_view protocol)
      : reading_(reading), flow_(flow), protocol_(protocol) {}

  bool octets(Side from, Bytes octets, Instant time) override {
    if (from == Side::server) return true;
    read_ += octets.size();
    while (!octets.empty()) {
      const std::size_t end = octets.find('\n');
      line_.append(octets.substr(0, std::min(end, kLineMax + 1)));
      if (line_.size() > kLineMax) return false;
      if (end == octets.npos) break;
      octets.remove_prefix(end + 1);
      if (line_.ends_with('\r')) line_.pop_back();
      const bool more = command(line_, time);
      line_.clear();
      if (!more) return false;
    }
    return read_ <= kOctetsMax;
  }
  void lost(Side from, std::uint32_t) override {
    if (from == Side::client) line_.clear();
  }
  void finished(Side) override {}
  std::size_t memory() const override { return sizeof *this + line_.capacity(); }

 private:
  enum class Expect : std::uint8_t { command, plain, login_user, login_secret };

  bool command(std::string_view line, Instant time) {
    switch (std::exchange(expect_, Expect::command)) {
      case Expect::plain:
        return plain(line, time);
      case Expect::login_user:
        if (const auto user = from_base64(line)) user_ = to_utf8_lossy(*user);
        expect_ = Expect::login_secret;
        return true;
      case Expect::login_secret:
        return tell("auth LOGIN", time);
      case Expect::command:
        break;
    }
    std::string_view rest = line;
    if (protocol_ == "imap") (void)take_word(rest);  // the tag
    const std::string verb = upper(take_word(rest));
    // From here on encrypted (RFC 4217, RFC 2595, RFC 3207).
    if (verb == "STARTTLS" || verb == "STLS" || (verb == "AUTH" && upper(rest).starts_with(" TLS"))) return false;
    if (protocol_ == "smtp" && verb == "DATA") return false;
    if (verb == "USER") user_ = to_utf8_lossy(take_word(rest));
    if (verb == "PASS" && protocol_ != "smtp" && protocol_ != "imap") return tell("pass", time);
    if (verb == "LOGIN" && protocol_ == "imap") {
      user_ = to_utf8_lossy(take_word(rest));
      return tell("login", time);
    }
    if (verb == "AUTH" || verb == "AUTHENTICATE") return mechanism(rest, time);
    return true;
  }

  bool mechanism(std::string_view rest, Instant time) {
    const std::string name = upper(take_word(rest));
    const std::string_view initial = take_word(rest);
    if (name == "PLAIN" && !initial.empty()) return plain(initial, time);
    if (name == "PLAIN") expect_ = Expect::plain;
    if (name == "LOGIN") expect_ = Expect::login_user;
    if (name == "LOGIN" && !initial.empty()) return command(initial, time);
    return true;
  }

  // RFC 4616: authorization NUL authentication NUL password.
  bool plain(std::string_view message, Instant time) {
    if (const auto decoded = from_base64(message)) {
      const std::string_view text = *decoded;
      const std::size_t first = text.find('\0');
      if (first != text.npos) user_ = to_utf8_lossy(text.substr(first + 1, text.find('\0', first + 1) - first - 1));
    }
    return tell("auth PLAIN", time);
  }

  bool tell(std::string_view what, Instant time) {
    const bool nobody = protocol_ == "ftp" && (user_ == "anonymous" || user_ == "ftp");
    if (!nobody) reading_.credential(flow_, protocol_, user_, what, time);
    return true;
  }

  Reading& reading_;
  const FlowView flow_;
  const std::string_view protocol_;  // static storage
  std::string line_, user_;
  Expect expect_ = Expect::command;
  std::size_t read_ = 0;
};

}  // namespace

bool is_login_protocol(std::string_view name) {
  return std::ranges::any_of(kKnown, [&](const Known& known) { return known.protocol == name; });
}

std::string_view login_protocol_of(std::string_view application) {
  const auto known = std::ranges::find(kKnown, application, &Known::application);
  return known == kKnown.end() ? std::string_view{} : known->protocol;
}

std::unique_ptr<FlowReader> make_login_reader(Reading& reading, const FlowView& flow, std::string_view protocol) {
  const auto known = std::ranges::find(kKnown, protocol, &Known::protocol);
  return std::make_unique<LoginReader>(reading, flow, known->protocol);
}

}  // namespace chancery::sensor
