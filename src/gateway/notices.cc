#include "gateway/notices.h"

namespace chancery::gateway {

std::string Notices::answer(std::string_view query) const {
  constexpr std::string_view kShown = "notice.shown:";
  if (!query.starts_with(kShown)) return {};
  const auto time = when(std::string{query.substr(kShown.size())});
  return time ? to_rfc3339(*time) : std::string{"no"};
}

}  // namespace chancery::gateway
