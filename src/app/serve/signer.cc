#include "app/serve/signer.h"

namespace chancery::app::serve {

std::unique_ptr<seal::SignerClient> make_signer(const gateway::Config& config, const std::filesystem::path& state) {
  constexpr std::chrono::milliseconds kPatience{5'000};
  if (!config.signer.socket.empty()) return seal::SignerClient::connect(config.signer.socket, kPatience);
  return seal::SignerClient::spawn({std::filesystem::read_symlink("/proc/self/exe").string(), "signer", "run", "--fd",
                                    "3", "--key", config.signer.key_file.string(), "--state", state.string(),
                                    "--origin-prefix", config.site + "/" + config.node + "/"},
                                   kPatience);
}

}  // namespace chancery::app::serve
