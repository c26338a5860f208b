#include "policy/compile.h"

#include <array>
#include <openssl/evp.h>
#include <stdexcept>

#include "core/encoding.h"
#include "policy/chain.h"
#include "policy/control/control.h"
#include "policy/lexicon/lexicon.h"
#include "policy/notice/notice.h"

namespace chancery::policy {

std::string revision_of(std::string_view text) {
  constexpr std::size_t kDigits = 16;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
  return to_hex({reinterpret_cast<const char*>(digest.data()), kDigits / 2});
}

std::shared_ptr<const Policy> compile(const Text& text, Cache* cache) {
  std::vector<std::unique_ptr<const Stage>> stages;
  stages.push_back(std::make_unique<ControlStage>(text.control, text.groups, text.file));
  stages.push_back(std::make_unique<LexiconStage>(text.lexicon, text.groups, text.file, text.revision, cache));
  stages.push_back(std::make_unique<NoticeStage>(text.notices, text.groups, text.file));
  return std::make_shared<Chain>(text.revision, std::move(stages));
}

std::shared_ptr<const Policy> compile(std::string_view text, std::string_view file, Cache* cache) {
  return compile(parse(text, file), cache);
}

std::shared_ptr<const Policy> forward_everything() {
  return std::make_shared<Chain>(revision_of(""), std::vector<std::unique_ptr<const Stage>>{});
}

}  // namespace chancery::policy
