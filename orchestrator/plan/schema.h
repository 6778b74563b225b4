// What a stage type takes and gives: declared once, it drives reading and what `stages` prints.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace blackstart::plan {

enum class OptionType {
  kString,
  kInteger,
  kBoolean,
  kDuration,  // "90s", "5m"
  kEnum,      // one of `choices`
  kPath,  // file or folder, relative to the file that names it; its content is part of the digest
  kList,  // of `fields[0]`
  kMap,   // with `fields`; without fields: free-form, any keys
  kAny,   // any YAML, e.g. an inline manifest
};

/// The name of the field that stands for every key of a map whose keys are free.
inline constexpr const char* kAnyKey = "*";

struct OptionSpec {
  std::string name;
  OptionType type = OptionType::kString;
  bool required = false;
  std::string default_value;         // as it would be written in YAML; empty = none
  std::string summary;               // one line
  bool secret = false;               // the value is tainted
  std::vector<std::string> choices;  // kEnum
  std::vector<OptionSpec> fields;    // kMap: its keys, or one kAnyKey; kList: one element, the item
  bool not_empty = false;            // kList: needs an element
  bool may_be_missing = false;       // kPath: need not exist at validation
  bool in_argv = false;  // becomes an argument of a process, which everybody on the machine can
                         // read: no part of it may be sensitive
};

struct OutputSpec {
  std::string name;
  std::string summary;
  bool secret = false;
};

/// The face of a stage type that the plan sees.
struct StageSchema {
  std::string name;     // "kube.crds"
  std::string summary;  // one line
  std::vector<OptionSpec> options;
  std::vector<OutputSpec> outputs;
  /// Exactly one of each group must be given, e.g. {"path","kustomize","inline"}.
  std::vector<std::vector<std::string>> one_of;
  bool uses_cluster = false;  // works on the plan's `cluster:`, once that is there
  bool in_cluster = false;    // the same, and what it makes is in there and goes with it
  std::string warning;        // validation says it for every use; empty = none

  bool needs_cluster() const { return uses_cluster || in_cluster; }
};

/// Knows all stage types; the catalog implements it, the plan needs no more of it.
class SchemaLookup {
 public:
  virtual ~SchemaLookup() = default;
  virtual const StageSchema* find_schema(std::string_view uses) const = 0;
  virtual std::vector<std::string> names() const = 0;
};

}  // namespace blackstart::plan
