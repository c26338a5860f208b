#include "sensor/packet/skip.h"

namespace chancery::sensor {

std::string_view to_string(Skip why) {
  constexpr std::array<std::string_view, kSkips> kNames{"link_type",
                                                        "not_ip",
                                                        "other_transport",
                                                        "truncated",
                                                        "bad_header",
                                                        "bad_length",
                                                        "too_deep",
                                                        "fragment_incomplete",
                                                        "fragment_overlap",
                                                        "fragment_limit",
                                                        "out_of_window",
                                                        "overlap_conflict",
                                                        "lost",
                                                        "segments_limit",
                                                        "flows_limit",
                                                        "bad_record",
                                                        "damaged_file",
                                                        "bad_time"};
  return kNames[static_cast<std::size_t>(why)];
}

}  // namespace chancery::sensor
