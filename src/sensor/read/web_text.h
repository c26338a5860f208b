#pragma once
// What a person said in a text message of a WebSocket whose protocol nobody states. Three forms are known: plain text;
// a JSON object with a member that is called like words of a chat; the same in an array behind Socket.IO's number
// (`42["message",{…}]`). All else is a program's talk.
#include <optional>
#include <string>
#include <string_view>

namespace chancery::sensor {

struct WebText {
  std::string text;
  std::string from, to;  // empty: not said
};

std::optional<WebText> read_web_text(std::string_view message);

}  // namespace chancery::sensor
