#include "stages/kube/secret_data.h"

#include <algorithm>
#include <array>

#include "orchestrator/base/hex.h"

namespace blackstart::stages {
namespace {

RandomSpec random_of(const plan::Value& value) {
  RandomSpec spec;
  if (value.kind == plan::Value::Kind::kInteger) {
    spec.length = static_cast<size_t>(std::max<int64_t>(value.integer, 0));
  } else {
    for (const auto& [name, field] : value.as_map()) {
      if (name == "length") {
        spec.length = static_cast<size_t>(std::max<int64_t>(field.as_integer(), 0));
      } else if (name == "encoding") {
        spec.encoding = field.as_text();
      } else {
        throw Error(ErrorClass::kUsage, "random takes length and encoding, not " + name)
            .at(field.place);
      }
    }
  }
  if (spec.length < 8 || spec.length > 4096)
    throw Error(ErrorClass::kUsage, "a random value has 8 to 4096 characters").at(value.place);
  constexpr std::array<std::string_view, 3> known = {"alphanumeric", "hex", "base64"};
  if (std::find(known.begin(), known.end(), spec.encoding) == known.end())
    throw Error(ErrorClass::kUsage, "encoding is alphanumeric, hex or base64").at(value.place);
  return spec;
}

/// The one source that an entry names.
std::pair<std::string, const plan::Value*> source_of(const std::string& key,
                                                     const plan::Value& entry) {
  std::pair<std::string, const plan::Value*> found;
  for (const auto& [name, value] : entry.as_map()) {
    if (found.second)
      throw Error(ErrorClass::kUsage, "key " + key + " has two sources").at(value.place);
    found = {name, &value};
  }
  if (!found.second)
    throw Error(ErrorClass::kUsage, "key " + key + " has no source")
        .at(entry.place)
        .hint("one of value, fromFile, fromEnv, random");
  return found;
}

/// Bytes beyond the last whole multiple of 62 are thrown away, so that every character is as
/// likely.
std::string alphanumeric(Random& random, size_t length) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  while (text.size() < length)
    for (unsigned char byte : random.bytes(length))
      if (byte < 248 && text.size() < length) text += letters[byte % letters.size()];
  return text;
}

}  // namespace

std::vector<plan::OptionSpec> secret_sources() {
  using plan::OptionType;
  return {
      {.name = "value", .summary = "the value, from a sensitive variable"},
      {.name = "fromFile",
       .type = OptionType::kPath,
       .summary = "file with the value, taken as it is",
       .may_be_missing = true},
      {.name = "fromEnv", .summary = "environment variable with the value"},
      {.name = "random",
       .type = OptionType::kAny,
       .summary = "made once: a length, or {length, encoding: alphanumeric | hex | base64}"},
  };
}

std::vector<SecretEntry> read_secret_data(engine::Context& context, const plan::Value& data) {
  std::vector<SecretEntry> entries;
  for (const auto& [key, value] : data.as_map()) {
    SecretEntry entry{key, {}, std::nullopt};
    auto [source, what] = source_of(key, value);
    if (source == "value") entry.secret.value = what->as_text();
    if (source == "fromFile") entry.secret = read_secret_file(context, *what);
    if (source == "fromEnv") entry.secret = read_variable(context, *what);
    if (source == "random") entry.random = random_of(*what);
    if (entry.secret.value) context.redact(*entry.secret.value);
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string make_random(engine::Context& context, const RandomSpec& spec) {
  Random& random = context.world().random;
  std::string value = spec.encoding == "hex"      ? hex(random.bytes(spec.length))
                      : spec.encoding == "base64" ? base64_encode(random.bytes(spec.length))
                                                  : alphanumeric(random, spec.length);
  context.redact(value);
  return value;
}

}  // namespace blackstart::stages
