// What is wrong in ${{ }}: the exact findings.
#include "tests/unit/plan/broken_plans.h"

namespace blackstart::plan {
namespace {

const BrokenPlan kBrokenExpressions[] = {
    {"UnknownVariable", R"(
  vars: {version: x}
  stages:
    - name: a
      uses: tool.make
      with:
        text: v${{ vars.versoin }}-${{vars.version}}
)",
     R"(
plan.yaml:10:20: unknown variable 'versoin' [did you mean 'version'?]
)"},
    {"ExpressionInASource", R"(
  vars:
    key: {type: string, default: x, fromFile: "keys/${{ env.name }}.txt"}
    token: {type: string, default: x, fromEnv: "${{ env.name }}_TOKEN"}
  environments: {e: {}}
  stages:
    - {name: a, uses: tool.make, with: {text: "${{ vars.key }}${{ vars.token }}"}}
)",
     R"(
plan.yaml:6:47: 'fromFile' cannot hold ${{ }} [declare the variable in each environment, there with its own source]
plan.yaml:7:48: 'fromEnv' cannot hold ${{ }} [declare the variable in each environment, there with its own source]
)"},
    {"UnknownStageInExpression", R"(
  stages:
    - name: make
      uses: tool.make
    - name: b
      uses: tool.make
      with:
        text: ${{ stages.maek.outputs.result }}
)",
     R"(
plan.yaml:11:19: unknown stage 'maek' [did you mean 'make'?]
)"},
    {"UnknownOutput", R"(
  stages:
    - name: make
      uses: tool.make
    - name: b
      uses: tool.make
      with:
        text: ${{ stages.make.outputs.results }}
)",
     R"(
plan.yaml:11:39: stage 'make' (tool.make) has no output 'results' [did you mean 'result'?]
)"},
    {"UnknownRoot", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        text: ${{ version }}
)",
     R"(
plan.yaml:9:19: unknown name 'version' [an expression starts with vars.NAME, env.name or stages.NAME.outputs.NAME; text needs quotes: 'version']
)"},
    {"UnknownKeyOfMap", R"(
  vars: {image: {name: x, tag: y}}
  stages:
    - name: a
      uses: tool.make
      with:
        text: ${{ vars.image.tga }}
)",
     R"(
plan.yaml:10:30: the map has no key 'tga' [did you mean 'tag'?]
)"},
    {"ListIndexOutside", R"(
  vars: {nodes: [a]}
  stages:
    - name: a
      uses: tool.make
      with:
        text: ${{ vars.nodes[1] }}
)",
     R"(
plan.yaml:10:30: the list has no element 1 [it has 1]
)"},
    {"ExpressionNotClosed", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        text: a ${{ vars.x
)",
     R"(
plan.yaml:9:17: ${{ is never closed [write ${{ vars.name }}; for the three characters themselves write ${{ '${{' }}]
)"},
    {"ExpressionEmpty", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        text: ${{ }}
)",
     R"(
plan.yaml:9:19: the expression ends too early [write ${{ vars.name }}]
)"},
    {"ExpressionDoubleQuotes", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        text: '${{ "x" }}'
)",
     R"(
plan.yaml:9:20: unexpected '"' [write text in single quotes: 'text']
)"},
    {"ExpressionSingleEqual", R"(
  stages:
    - name: a
      uses: tool.make
      when: env.name = 'x'
)",
     R"(
plan.yaml:8:22: unexpected '=' [compare with ==]
)"},
    {"ExpressionParenthesis", R"(
  stages:
    - name: a
      uses: tool.make
      when: (true && false
)",
     R"(
plan.yaml:8:27: ')' is missing
)"},
    {"ExpressionTypes", R"(
  vars: {n: 3}
  stages:
    - name: a
      uses: tool.make
      when: vars.n == '3'
)",
     R"(
plan.yaml:9:13: compares an integer with a string: they are never equal [text needs quotes, numbers and true or false must have none]
)"},
    {"ExpressionNotBoolean", R"(
  vars: {n: 3}
  stages:
    - name: a
      uses: tool.make
      when: vars.n && true
)",
     R"(
plan.yaml:9:13: expected true or false, got an integer [compare it: == or != gives true or false]
)"},
    {"ExpressionListInText", R"(
  vars: {l: [1]}
  stages:
    - name: a
      uses: tool.make
      with:
        text: x-${{ vars.l }}
)",
     R"(
plan.yaml:10:21: a list cannot stand inside text [let ${{ }} be the whole value, or name one element of it]
)"},
    {"ExpressionNullInText", R"(
  vars: {l: }
  stages:
    - name: a
      uses: tool.make
      with:
        text: x-${{ vars.l }}
)",
     R"(
plan.yaml:10:21: null cannot stand inside text [give the variable a value]
)"},
    {"ExpressionWrongType", R"(
  vars: {l: [1]}
  stages:
    - name: a
      uses: tool.make
      with:
        text: ${{ vars.l }}
)",
     R"(
plan.yaml:10:15: 'text' must be a string, not a list
)"},
    {"ExpressionInKey", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        labels: {'${{ env.name }}': x}
)",
     R"(
plan.yaml:9:18: a key cannot hold ${{ }}
)"},
    {"ExpressionOutputInStaticKey", R"(
  stages:
    - {name: b, uses: tool.make}
    - name: a
      uses: tool.make
      timeout: ${{ stages.b.outputs.result }}
)",
     R"(
plan.yaml:9:20: a stage's output cannot be used here [outputs are for 'with', 'when' and the plan's 'cluster']
)"},
    {"NoEnvironmentName", R"(
  stages:
    - name: a
      uses: tool.make
      with: {text: "${{ env.name }}"}
)",
     R"(
plan.yaml:8:25: env.name has no value: the plan has no environment [add environments: to the plan's spec]
)"},
};

INSTANTIATE_TEST_SUITE_P(Expressions, BrokenPlans, testing::ValuesIn(kBrokenExpressions), name_of);

}  // namespace
}  // namespace blackstart::plan
