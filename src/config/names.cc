// The spelling of configuration's own words, in the file and in messages.
#include "gateway/config.h"

namespace chancery::gateway {

std::string_view to_string(Tls tls) {
  switch (tls) {
    case Tls::none:
      return "none";
    case Tls::starttls:
      return "starttls";
    case Tls::direct:
      return "direct";
  }
  return "unknown";
}

std::string_view to_string(OnJournalFailure answer) {
  switch (answer) {
    case OnJournalFailure::refuse:
      return "refuse";
    case OnJournalFailure::forward_and_alarm:
      return "forward-and-alarm";
  }
  return "unknown";
}

std::string_view to_string(LogFormat format) {
  switch (format) {
    case LogFormat::automatic:
      return "auto";
    case LogFormat::plain:
      return "plain";
    case LogFormat::json:
      return "json";
    case LogFormat::journald:
      return "journald";
  }
  return "unknown";
}

}  // namespace chancery::gateway
