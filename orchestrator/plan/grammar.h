// The plan's own keys, as options tables: read and checked as a stage's options are.
#pragma once

#include <string_view>
#include <vector>

#include "orchestrator/plan/schema.h"

namespace blackstart::plan {

inline constexpr const char* kApiVersion = "blackstart.dev/v1alpha1";

using Keys = std::vector<OptionSpec>;

const Keys& document_keys();  // apiVersion, kind, metadata, spec
const Keys& metadata_keys();
const Keys& spec_keys();     // of a plan
const Keys& include_keys();  // of an included document's spec
const Keys& environment_keys();
const Keys& cluster_keys();
const Keys& variable_keys();  // of a declaration: {type: …}
const Keys& stage_keys();
const Keys& patch_keys();  // of a stage in an environment: the same without name

/// A DNS label: lower-case letters, digits and '-', at most 63, ends alphanumeric.
bool is_dns_label(std::string_view name);
/// What vars.NAME can say: letters, digits, '_' and '-', not starting with a digit or '-'.
bool is_variable_name(std::string_view name);

}  // namespace blackstart::plan
