// A resolved value of the plan: typed, with its place, perhaps not known yet.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"

namespace blackstart::plan {

/// Thrown by accessors when a value comes from a stage that has not run: not an error, a fact.
struct NotKnownYet {
  std::string stage;  // whose output it is
  std::string output;
};

/// What an option or variable is after `${{ }}` has been replaced. A value type.
class Value {
 public:
  enum class Kind { kNull, kBoolean, kInteger, kFloat, kString, kList, kMap, kUnknown };

  Kind kind = Kind::kNull;
  Place place;
  Place key_place;  // of its key, when it stands in a map
  Place origin;     // where the text was written when ${{ }} brought it to `place`: what a path is
                    // relative to; unknown = `place`
  bool sensitive = false;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string text;                                    // kString; kUnknown: the output's name
  std::string stage;                                   // kUnknown: the stage that will know
  std::vector<Value> items;                            // kList
  std::vector<std::pair<std::string, Value>> entries;  // kMap, in file order

  const Value* find(std::string_view key) const;
  /// The same, but null for a key without a value too.
  const Value* given(std::string_view key) const;
  bool is_null() const { return kind == Kind::kNull; }
  /// "string", "list", … for messages.
  const char* kind_name() const;
  /// "a string", "an integer", "null".
  std::string kind_text() const;

  // Typed access; a wrong type throws Error(kUsage) at `place`, an unknown value throws
  // NotKnownYet.
  const std::string& as_text() const;
  int64_t as_integer() const;
  bool as_boolean() const;
  Duration as_duration() const;
  const std::vector<Value>& as_list() const;
  const std::vector<std::pair<std::string, Value>>& as_map() const;
  boost::json::value to_json() const;  // throws NotKnownYet when any part is unknown
  /// The first unknown part, or null.
  const Value* first_unknown() const;
  /// The first sensitive part, or null.
  const Value* first_sensitive() const;
  /// Canonical JSON (keys sorted, no spaces): the base of the input digest. An unknown part stands
  /// as {"unknown":"stage.output"}.
  std::string canonical() const;

  static Value of(const boost::json::value& json, Place place);
  /// Marks this value and all below it as sensitive.
  void taint();
};

}  // namespace blackstart::plan
