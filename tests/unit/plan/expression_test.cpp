#include "orchestrator/plan/expression.h"

#include <gtest/gtest.h>

#include <map>

#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

/// vars from YAML text; every output is unknown but stages.known.outputs.value.
class TestScope final : public Scope {
 public:
  TestScope() {
    Diagnostics problems;
    auto documents = yaml::parse(
        "{s: text, 'n': 3, f: 1.5, big: 9007199254740993, t: true, nothing: null, l: [a, {k: v}],"
        " m: {k: v, 'odd key': w, deep: {er: {x: 1}}}, key: k, secret: pw, index: 1}",
        "vars", {}, problems);
    vars_ = outline(documents.at(0), 64);
    for (auto& [name, value] : vars_.entries) {
      if (name == "secret") value.taint();
    }
  }
  const Value& variable(const std::string& name, Place place) const override {
    const Value* found = vars_.find(name);
    if (found == nullptr)
      throw Error(ErrorClass::kUsage, "unknown variable '" + name + "'").at(place);
    return *found;
  }
  std::string environment(Place) const override { return "prod"; }
  Value output(const Expression& reference) const override {
    Value value = unreadable(reference.place);
    value.stage = reference.name;
    value.text = reference.output;
    if (reference.name == "known") value = Value::of(boost::json::value("done"), reference.place);
    return value;
  }

 private:
  Value vars_;
};

/// The value's canonical form, with "secret " before it when it is sensitive; "column: message" for
/// a mistake.
std::string evaluated(const std::string& text) {
  TextPlace place{{intern_file("f"), 1, 1}, true};
  try {
    Value value = evaluate(parse_expression(text, place), TestScope());
    return (value.sensitive ? "secret " : "") + value.canonical();
  } catch (const Error& error) {
    return std::to_string(error.place().column) + ": " + error.summary();
  }
}

struct Row {
  const char* expression;
  const char* result;
};

TEST(Expression, Values) {
  const Row table[] = {
      {"'text'", "\"text\""},
      {"'it''s'", "\"it's\""},
      {"''", "\"\""},
      {"'}}'", "\"}}\""},
      {"42", "42"},
      {"-7", "-7"},
      {"1.5", "1.5E0"},
      {"0x10", "16"},
      {"true", "true"},
      {" null ", "null"},
      {"vars.s", "\"text\""},
      {"vars.n", "3"},
      {"vars['s']", "\"text\""},
      {"vars.big", "9007199254740993"},
      {"vars.m.k", "\"v\""},
      {"vars.m['odd key']", "\"w\""},
      {"vars.m[vars.key]", "\"v\""},
      {"vars.m.deep.er.x", "1"},
      {"vars.m.deep['er'].x", "1"},
      {"vars.l[0]", "\"a\""},
      {"vars.l[vars.index].k", "\"v\""},
      {"vars.l", "[\"a\",{\"k\":\"v\"}]"},
      {"env.name", "\"prod\""},
      {"stages.known.outputs.value", "\"done\""},
      {"stages['known'].outputs['value']", "\"done\""},
      {"stages.other-one.outputs.x", "{\"unknown\":\"other-one.x\"}"},
      {"stages.other.outputs.x.y[0]", "{\"unknown\":\"other.x\"}"},
      {"vars.secret", "secret \"pw\""},
      {"vars.m[vars.key] == vars.secret", "secret false"},
  };
  for (const Row& row : table) EXPECT_EQ(evaluated(row.expression), row.result) << row.expression;
}

TEST(Expression, Operators) {
  const Row table[] = {
      {"vars.n == 3", "true"},
      {"vars.n == 3.0", "true"},
      {"vars.f == 1.5", "true"},
      {"vars.n != 3", "false"},
      {"vars.s == 'text'", "true"},
      {"vars.nothing == null", "true"},
      {"vars.s == null", "false"},
      {"vars.s != null", "true"},
      {"vars.l == vars.l", "true"},
      {"vars.m == vars.m.deep", "false"},
      {"!vars.t", "false"},
      {"!!vars.t", "true"},
      {"!(vars.t && false)", "true"},
      {"true || false && false", "true"},
      {"(true || false) && false", "false"},
      {"false || false || true", "true"},
      {"true && true && false", "false"},
      {"vars.t==true&&env.name=='prod'", "true"},
      {"vars.nothing != null && vars.nothing.x == 1", "false"},
      {"vars.t || vars.nothing.x", "true"},
      {"stages.o.outputs.x == 'y'", "{\"unknown\":\"o.x\"}"},
      {"!stages.o.outputs.x", "{\"unknown\":\"o.x\"}"},
      {"false && stages.o.outputs.x", "false"},
      {"true && stages.o.outputs.x", "{\"unknown\":\"o.x\"}"},
      {"vars.l[stages.o.outputs.i]", "{\"unknown\":\"o.i\"}"},
  };
  for (const Row& row : table) EXPECT_EQ(evaluated(row.expression), row.result) << row.expression;
}

TEST(Expression, MistakesAreShownAtTheirColumn) {
  const Row table[] = {
      {"", "1: the expression ends too early"},
      {"vars", "5: expected .NAME"},
      {"vars.", "6: expected NAME after the dot"},
      {"vars.x", "1: unknown variable 'x'"},
      {"vars.n ==", "10: the expression ends too early"},
      {"vars.n = 3", "8: unexpected '='"},
      {"vars.n & 3", "8: unexpected '&'"},
      {"vars.n vars.n", "8: unexpected 'v'"},
      {"(vars.n", "8: ')' is missing"},
      {"vars.l[0", "9: ']' is missing"},
      {"vars.l[]", "8: unexpected ']'"},
      {"'open", "1: the quote that opens here is never closed"},
      {"\"x\"", "1: unexpected '\"'"},
      {"1x", "1: '1x' is no number"},
      {"-", "1: '-' is no number"},
      {"name", "1: unknown name 'name'"},
      {"env.x", "6: env has nothing but env.name"},
      {"env.name.x", "9: unexpected '.'"},
      {"stages.a", "9: expected .outputs"},
      {"stages.a.result", "9: expected .outputs"},
      {"stages.a.outputs", "17: expected .NAME"},
      {"vars.s.x", "8: a string has no keys"},
      {"vars.m.x", "8: the map has no key 'x'"},
      {"vars.m[0]", "8: a key must be text, not an integer"},
      {"vars.l.a", "8: a list is read by number: [0]"},
      {"vars.l[2]", "8: the list has no element 2"},
      {"vars.l[-1]", "8: the list has no element -1"},
      {"vars.m[vars.secret]", "8: the map has no such key"},
      {"vars.n == 'x'", "1: compares an integer with a string: they are never equal"},
      {"vars.s && true", "1: expected true or false, got a string"},
      {"true && vars.n", "9: expected true or false, got an integer"},
      {"!vars.s", "2: expected true or false, got a string"},
      {"1 == 1 == 1", "8: unexpected '='"},
  };
  for (const Row& row : table) EXPECT_EQ(evaluated(row.expression), row.result) << row.expression;
}

TEST(Expression, LengthAndDepthAreBounded) {
  EXPECT_EQ(evaluated(std::string(4097, ' ')), "1: an expression may have at most 4096 characters");
  EXPECT_EQ(evaluated(std::string(31, '(') + "1" + std::string(31, ')')), "1");
  for (const char* opener : {"(", "!", "vars.l["}) {
    std::string text;
    while (text.size() < 4000) text += opener;
    EXPECT_NE(evaluated(text).find("nested at most 32 deep"), std::string::npos) << opener;
  }
  std::string chain = "true";
  while (chain.size() < 4000) chain += "&&true";
  EXPECT_EQ(evaluated(chain), "true");
}

Value resolved(const std::string& text, Diagnostics& diagnostics) {
  yaml::Limits limits;
  limits.expressions = true;
  auto documents = yaml::parse(text, "f", limits, diagnostics);
  return resolve_node(documents.at(0), TestScope(), diagnostics);
}

TEST(Template, KeepsTypesWhenExactAndMakesTextOtherwise) {
  Diagnostics diagnostics;
  Value value = resolved(
      "{a: ${{ vars.n }}, b: \"${{ vars.l }}\", c: x${{ vars.n }}${{ vars.t }}-${{ vars.f }}, d: ' "
      "${{ vars.n }}',"
      " e: ${{ '${{' }}, f: 7, g: yes, h: $${{ vars.s }}}",
      diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(value.canonical(),
            "{\"a\":3,\"b\":[\"a\",{\"k\":\"v\"}],\"c\":\"x3true-1.5\",\"d\":\" "
            "3\",\"e\":\"${{\",\"f\":7,\"g\":true,"
            "\"h\":\"$text\"}");
}

TEST(Template, UnknownOutputs_PassThroughListsAndMakeTextUnknown) {
  Diagnostics diagnostics;
  Value value = resolved(
      "[x, '${{ stages.o.outputs.a }}', 'x${{ stages.o.outputs.b }}', {k: '${{ stages.o.outputs.c "
      "}}'}]",
      diagnostics);
  EXPECT_EQ(value.canonical(),
            "[\"x\",{\"unknown\":\"o.a\"},{\"unknown\":\"o.b\"},{\"k\":{\"unknown\":\"o.c\"}}]");
  EXPECT_EQ(value.first_unknown()->text, "a");
  EXPECT_THROW(value.to_json(), NotKnownYet);
  EXPECT_THROW(value.items[1].as_text(), NotKnownYet);
}

TEST(Template, SensitiveValuesTaintWhatTheyAreEmbeddedIn) {
  Diagnostics diagnostics;
  Value value = resolved(
      "{a: '${{ vars.secret }}', b: 'x${{ vars.secret }}', c: x, d: {e: ['${{ vars.secret }}']}}",
      diagnostics);
  EXPECT_TRUE(value.find("a")->sensitive);
  EXPECT_TRUE(value.find("b")->sensitive);
  EXPECT_FALSE(value.find("c")->sensitive);
  EXPECT_TRUE(value.find("d")->find("e")->items[0].sensitive);
}

TEST(Template, RememberWhereAValueWasWritten) {
  Diagnostics diagnostics;
  Value value = resolved("a: ${{ vars.s }}\n", diagnostics);
  EXPECT_EQ(value.find("a")->place.to_string(), "f:1:4");
  EXPECT_EQ(value.find("a")->key_place.to_string(), "f:1:1");
  EXPECT_EQ(*value.find("a")->origin.file, "vars");
}

TEST(Template, EveryMistakeOfATreeIsReported) {
  Diagnostics diagnostics;
  resolved("- ${{ vars.x }}\n- b ${{ vars.y }}\n- '${{ vars.z }}'\n- |\n  a\n  ${{ vars.w }}\n",
           diagnostics);
  std::string places;
  for (const auto& finding : diagnostics.sorted()) places += finding.place.to_string() + " ";
  EXPECT_EQ(places, "f:1:7 f:2:9 f:3:8 f:4:3 ");
}

}  // namespace
}  // namespace blackstart::plan
