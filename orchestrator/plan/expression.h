// ${{ … }}: the expressions of a plan. Typed, without side effects, bounded in length and depth.
//
//   or     := and ('||' and)*          and   := equal ('&&' equal)*
//   equal  := unary (('==' | '!=') unary)?   unary := '!' unary | primary
//   primary := 'text' | number | true | false | null | '(' or ')' | path
//   path   := vars.NAME key* | env.name | stages.NAME.outputs.NAME key*     key := .NAME | [or]
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/utf8.h"
#include "orchestrator/plan/value.h"

namespace blackstart::plan {

/// Where an expression's text stands in a file, so that a mistake can be shown to the column.
struct TextPlace {
  Place start;            // of the text; of the scalar that it is in when not verbatim
  bool verbatim = false;  // the text stands in the file as it is: its characters are columns

  /// The place of what follows after `text`.
  TextPlace after(std::string_view text) const {
    TextPlace place = *this;
    if (verbatim) place.start.column += static_cast<int>(character_count(text));
    return place;
  }
};

struct Expression {
  enum class Kind {
    kLiteral,
    kVariable,
    kEnvironmentName,
    kOutput,
    kNot,
    kAnd,
    kOr,
    kEqual,
    kNotEqual
  };

  Kind kind = Kind::kLiteral;
  Place place;
  Value literal;       // kLiteral
  std::string name;    // kVariable: its name; kOutput: the stage's name
  std::string output;  // kOutput
  Place output_place;
  std::vector<Expression> operands;  // of the operators; of a path: the keys that follow its name
};

/// Parses the whole of `text`, which starts at `start`. Throws Error(kUsage) at the failing
/// character.
Expression parse_expression(std::string_view text, const TextPlace& start);

/// What the names in an expression mean.
class Scope {
 public:
  virtual ~Scope() = default;
  /// All three throw Error(kUsage) at `place` when there is no such thing.
  virtual const Value& variable(const std::string& name, Place place) const = 0;
  virtual std::string environment(Place place) const = 0;
  virtual Value output(const Expression& reference) const = 0;
};

/// The expression's value; Value::kUnknown when it depends on an output that is not there yet.
/// Throws Error(kUsage) for wrong types and unknown names.
Value evaluate(const Expression& expression, const Scope& scope);

}  // namespace blackstart::plan
