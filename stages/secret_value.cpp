#include "stages/secret_value.h"

namespace blackstart::stages {
namespace {

constexpr size_t kFileLimit = 1u << 20;  // what a Secret can hold at all

}  // namespace

SecretValue read_variable(engine::Context& context, const plan::Value& name) {
  auto value = context.world().environment.get(name.as_text());
  if (value && !value->empty()) return {std::move(value), std::nullopt};
  Error missing(ErrorClass::kUsage,
                "environment variable " + name.as_text() + " is not set or empty");
  missing.at(name.place)
      .hint("export it for this run; its value stays out of plan, log and journal");
  return {std::nullopt, std::move(missing)};
}

SecretValue read_secret_file(engine::Context& context, const plan::Value& path) {
  try {
    return {context.world().files.read(path.as_text(), kFileLimit), std::nullopt};
  } catch (const Error& error) {
    Error missing(ErrorClass::kUsage, error.summary());
    for (const std::string& cause : error.causes()) missing.because(cause);
    missing.at(path.place);
    return {std::nullopt, std::move(missing)};
  }
}

void redact_sensitive(engine::Context& context, const plan::Value& value) {
  if (value.sensitive && value.kind == plan::Value::Kind::kString) context.redact(value.text);
  for (const plan::Value& item : value.items) redact_sensitive(context, item);
  for (const auto& [key, item] : value.entries) redact_sensitive(context, item);
}

}  // namespace blackstart::stages
