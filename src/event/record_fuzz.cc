// Whatever decodes is canonical: encoding it gives the same octets, and its JSON view can be made.
#include <cstdint>
#include <cstdlib>

#include "event/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const chancery::Bytes in{reinterpret_cast<const char*>(data), size};
  const auto record = chancery::decode_record(in);
  if (!record) return 0;
  if (chancery::encode(*record) != in) std::abort();
  for (const auto& line : chancery::to_json(*record, "site/node/00000001-00000000", 7))
    if (line.empty() || line.find('\n') != std::string::npos) std::abort();
  return 0;
}
