// Shared by the YAML reader's own files; nobody else includes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orchestrator/base/yaml.h"

namespace blackstart::yaml {

/// The first byte that no YAML text may have (NUL, control character, broken UTF-8, UTF-16).
struct BadByte {
  size_t offset = 0;
  std::string message;
  std::string hint;
};
std::optional<BadByte> find_bad_byte(std::string_view text);

/// Hides the characters of every one-line ${{ … }} that mean something in YAML behind control
/// characters (which find_bad_byte has ruled out), byte for byte, so that places stay right.
void mask_expressions(std::string& text);
/// Brings back what mask_expressions hid.
void unmask_expressions(std::string& text);

/// What go-yaml resolves a plain scalar to.
enum class PlainKind { kNull, kBoolean, kInteger, kFloat, kNotFinite, kString };
PlainKind plain_kind(std::string_view text);

/// A key as the JSON object key that Kubernetes tools make of it; nullopt when there is none.
std::optional<std::string> key_text(const Node& key);

}  // namespace blackstart::yaml
