#pragma once
// The signer's memory around SignerCore: what it signed last is durable before a signature leaves it.
//
// State file: one line for each origin, "<origin> <size> <root base64> <time RFC 3339>\n", replaced whole.
#include <map>
#include <memory>

#include "archive/seal/head_signer.h"
#include "journal/file.h"

namespace chancery::seal {

inline constexpr std::size_t kSignerOriginsMax = 4096;
inline constexpr std::size_t kSignerMessageSizeMax = 16U << 10;  // octets of a request or an answer

class SignerService : public HeadSigner {
 public:
  // Reads `state_path` (absent: nothing was signed yet). A state file that cannot be read whole is an error: without
  // its memory the signer could sign a fork. `disk` must outlive the service.
  static std::expected<SignerService, std::string> open(SignerCore core, journal::Disk& disk, std::string state_path,
                                                        std::function<Instant()> clock);

  std::expected<Buffer, SignFailure> sign(const SignRequest& request) override;
  std::expected<std::vector<merkle::VerifierKey>, SignFailure> verifiers(const std::string& origin) override;
  // The protocol on the socket: a SignRequest's octets in; "signed\n" and the note, or "refused <why> <size>\n", or
  // "failed <what>\n" out. Or "keys <origin>\n" in, "keys\n" and a vkey a line out.
  Buffer answer(Bytes request);

 private:
  SignerService(SignerCore core, journal::Disk& disk, std::string path, std::function<Instant()> clock)
      : core_(std::move(core)), disk_(&disk), path_(std::move(path)), clock_(std::move(clock)) {}
  std::error_code remember(const std::string& origin, const Signed& head);

  SignerCore core_;
  journal::Disk* disk_;
  std::string path_;
  std::function<Instant()> clock_;
  std::map<std::string, Signed> last_;
};

}  // namespace chancery::seal
