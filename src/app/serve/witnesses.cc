#include "app/serve/witnesses.h"

#include <fmt/format.h>

#include "app/context.h"

namespace chancery::app::serve {

std::vector<std::unique_ptr<witness::HttpCosigner>> make_witnesses(const gateway::Config& config) {
  std::vector<std::unique_ptr<witness::HttpCosigner>> witnesses;
  for (const auto& configured : config.witnesses) {
    auto url = witness::Url::parse(configured.url);
    if (!url)
      throw Failure(
          fmt::format("witness {}: '{}' is not a URL such as https://witness.example or http://127.0.0.1:8480",
                      configured.name, configured.url));
    auto key = merkle::VerifierKey::parse(configured.vkey);
    if (!key || key->type != merkle::KeyType::cosignature)
      throw Failure(fmt::format("witness {}: its vkey is not what `chancery witness show` prints", configured.name));
    url->ca = configured.ca;
    witnesses.push_back(std::make_unique<witness::HttpCosigner>(std::move(*url), std::move(*key)));
  }
  return witnesses;
}

}  // namespace chancery::app::serve
