// A secret that comes from the machine: whoever only looks or takes away can do without it.
#pragma once

#include <optional>
#include <string>

#include "orchestrator/engine/context.h"

namespace blackstart::stages {

struct SecretValue {
  std::optional<std::string> value;  // not redacted yet: user names stand here as well
  std::optional<Error> missing;      // kUsage, without a value: to be thrown where it is needed
};

/// An environment variable; an empty one counts as missing.
SecretValue read_variable(engine::Context& context, const plan::Value& name);
/// A file as it is.
SecretValue read_secret_file(engine::Context& context, const plan::Value& path);
/// The values of a Secret, as they are written and decoded; of wrong types too, since the API
/// server quotes those in its refusal. Does nothing for other objects.
void redact_secret(engine::Context& context, const boost::json::value& object);
/// Every sensitive text in a value of the plan.
void redact_sensitive(engine::Context& context, const plan::Value& value);

}  // namespace blackstart::stages
