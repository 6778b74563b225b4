// Shared by the YAML reader's own files; nobody else includes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "orchestrator/base/yaml.h"

namespace blackstart::yaml {

/// A copy in which the characters of every one-line ${{ … }} that mean something in YAML are hidden
/// behind others that mean nothing, one for one.
std::string mask_expressions(std::string_view text);
/// Brings back what mask_expressions hid.
void unmask_expressions(std::string& text);

/// What go-yaml resolves a plain scalar to.
enum class PlainKind { kNull, kBoolean, kInteger, kFloat, kNotFinite, kString };
PlainKind plain_kind(std::string_view text);

/// A key as the JSON object key that Kubernetes tools make of it; nullopt when there is none.
std::optional<std::string> key_text(const Node& key);

/// Ends a mapping: merges what `<<` names and reports duplicate and impossible keys.
void finish_mapping(Node& map, Diagnostics& diagnostics);

}  // namespace blackstart::yaml
