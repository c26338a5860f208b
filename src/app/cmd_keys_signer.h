#pragma once
// chancery keys … --signer-key FILE: the key that signs checkpoints, in the hands of the signer.
#include <string>

#include "app/context.h"

namespace chancery::app {

struct SignerKeyArguments {
  std::string file, passphrase_file;
  std::string archive;  // for retire
};

Exit create_signer_key(const Context& context, const SignerKeyArguments& arguments);
Exit show_signer_keys(const Context& context, const SignerKeyArguments& arguments);
// Makes the next key beside the current one; the gateway takes it up at its next start.
Exit rotate_signer_key(const Context& context, const SignerKeyArguments& arguments);
// Destroys the current key; the next one takes its place. Refuses until every log that it still signs has a checkpoint
// signed by the next one.
Exit retire_signer_key(const Context& context, const SignerKeyArguments& arguments);

}  // namespace chancery::app
