// The wanted keys of a Secret: where each value comes from, and which are to be made.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "stages/secret_value.h"

namespace blackstart::stages {

/// How a value that nobody knows yet is made.
struct RandomSpec {
  size_t length = 32;                     // characters, or bytes before encoding for hex and base64
  std::string encoding = "alphanumeric";  // alphanumeric, hex, base64
};

struct SecretEntry {
  std::string key;
  SecretValue secret;
  std::optional<RandomSpec> random;  // makes the value in its place
};

/// What a key's value can come from, as options.
std::vector<plan::OptionSpec> secret_sources();

/// Reads the option `data`; every value is redacted before this returns. Throws Error(kUsage) for
/// what is not said well. No message holds a value.
std::vector<SecretEntry> read_secret_data(engine::Context& context, const plan::Value& data);

/// A fresh value, redacted before it is returned.
std::string make_random(engine::Context& context, const RandomSpec& spec);

}  // namespace blackstart::stages
