#include "stages/secret_value.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages {
namespace {

namespace json = boost::json;

constexpr size_t kFileLimit = 1u << 20;  // what a Secret can hold at all

void redact_leaves(engine::Context& context, const json::value& value) {
  if (const auto* map = value.if_object())
    for (const auto& [key, item] : *map) redact_leaves(context, item);
  if (const auto* list = value.if_array())
    for (const json::value& item : *list) redact_leaves(context, item);
  if (value.is_number()) context.redact(json::serialize(value));
  const auto* text = value.if_string();
  if (!text) return;
  context.redact(std::string(*text));
  if (auto plain = base64_decode(*text)) context.redact(*plain);
}

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

void redact_secret(engine::Context& context, const json::value& object) {
  if (kube::text_at(object, {"kind"}) != "Secret") return;
  for (const char* map : {"data", "stringData"})
    if (const json::value* values = kube::find(object, {map})) redact_leaves(context, *values);
}

void redact_sensitive(engine::Context& context, const plan::Value& value) {
  if (value.sensitive && value.kind == plan::Value::Kind::kString) context.redact(value.text);
  for (const plan::Value& item : value.items) redact_sensitive(context, item);
  for (const auto& [key, item] : value.entries) redact_sensitive(context, item);
}

}  // namespace blackstart::stages
