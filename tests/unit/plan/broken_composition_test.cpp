// What is wrong with variables, environments and files: the exact findings.
#include "tests/unit/plan/broken_plans.h"

namespace blackstart::plan {
namespace {

const BrokenPlan kBrokenComposition[] = {
    {"VariableName", R"(
  vars: {1st: x}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:10: '1st' cannot be a variable's name [letters, digits, '_' and '-', starting with a letter]
)"},
    {"VariableUnused", R"(
  vars: {x: 1}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:10: warning: variable 'x' is never used
)"},
    {"VariableDeclarationTypo", R"(
  vars:
    x: {type: string, defualt: y}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: warning: variable 'x' is never used
plan.yaml:6:23: unknown key 'defualt' in the declaration of variable 'x' [did you mean 'default'? A map that is meant as a value and has a key 'type' is written {type: map, default: {...}}]
)"},
    {"VariableTypeUnknown", R"(
  vars:
    x: {type: int}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: warning: variable 'x' is never used
plan.yaml:6:15: 'type' must be one of string, integer, number, boolean, list, map, any, not 'int' [A map that is meant as a value and has a key 'type' is written {type: map, default: {...}}]
)"},
    {"VariableNoType", R"(
  vars:
    x: {default: y, required: true}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: warning: variable 'x' is never used
plan.yaml:6:8: the declaration of variable 'x' has no type [add type: string (or another); a map that is meant as a value is written {type: map, default: {...}}]
)"},
    {"VariableDefaultType", R"(
  vars:
    x: {type: string, default: 1.10}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: warning: variable 'x' is never used
plan.yaml:6:32: variable 'x' must be of type string, not number [put it in quotes to make it text]
)"},
    {"VariableRequired", R"(
  vars:
    x: {type: string, required: true, fromEnv: X}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: variable 'x' has no value [give --var x=VALUE, or set the environment variable X]
plan.yaml:6:5: warning: variable 'x' is never used
)"},
    {"VariableRequiredFile", R"(
  vars:
    x: {type: string, required: true, fromFile: secrets/x}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: variable 'x' has no value [give --var x=VALUE, or write the file secrets/x]
plan.yaml:6:5: warning: variable 'x' is never used
)"},
    {"VariableCircle", R"(
  vars:
    x: ${{ vars.y }}
    y: a${{ vars.z }}
    z: ${{ vars.x }}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:8:12: variables refer to each other in a circle: x -> y -> z -> x
)"},
    {"VariableUsesStage", R"(
  vars:
    x: ${{ stages.a.outputs.result }}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: warning: variable 'x' is never used
plan.yaml:6:12: a variable cannot use a stage's output [use ${{ stages.a.outputs.result }} where it is needed]
)"},
    {"VariableUnknownInVariable", R"(
  vars:
    name: a
    x: ${{ vars.nam }}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:5: warning: variable 'name' is never used
plan.yaml:7:5: warning: variable 'x' is never used
plan.yaml:7:12: unknown variable 'nam' [did you mean 'name'?]
)"},
    {"EnvironmentUnknownKey", R"(
  environments:
    e: {confrim: true}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:6:9: unknown key 'confrim' in environment 'e' [did you mean 'confirm'?]
)"},
    {"EnvironmentPatchUnknownStage", R"(
  environments:
    e: {stages: {aa: {uses: tool.one}}}
  stages:
    - {name: ab, uses: tool.make}
)",
     R"(
plan.yaml:6:18: environment 'e' patches the unknown stage 'aa' [known: ab]
)"},
    {"EnvironmentPatchKey", R"(
  environments:
    e:
      stages:
        a: {name: b, timeuot: 3s}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:8:13: unknown key 'name' in the patch of stage 'a' in environment 'e' [known: uses, with, needs, when, stack, tags, timeout, retry, confirm, owner, onFailure, notes]
plan.yaml:8:22: unknown key 'timeuot' in the patch of stage 'a' in environment 'e' [did you mean 'timeout'?]
)"},
    {"EnvironmentPatchNotAMap", R"(
  environments:
    e:
      stages:
        a: tool.one
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:8:12: the patch of stage 'a' in environment 'e' must be a map [null removes the stage]
)"},
    {"EnvironmentPatchValue", R"(
  environments:
    e:
      stages:
        a:
          with: {count: x}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:9:25: 'count' must be an integer, not a string
)"},
    {"EnvironmentRemovesNeeded", R"(
  environments:
    e: {stages: {a: null}}
  stages:
    - {name: a, uses: tool.make}
    - {name: b, uses: tool.make, needs: [a]}
)",
     R"(
plan.yaml:9:42: stage 'a' is removed by environment 'e' at plan.yaml:6:18 [remove this need in the environment too]
)"},
    {"EnvironmentsNoneChosen", R"(
  environments: {e: {vars: {v: x}}, f: {vars: {v: y}}}
  stages:
    - {name: a, uses: tool.make, with: {text: "${{ vars.v }} ${{ env.name }}"}}
)",
     R"(
plan.yaml:5:3: the plan has several environments and none is chosen [choose with --env, or add defaultEnvironment to the spec]
)"},
    {"EnvironmentDefaultUnknown", R"(
  defaultEnvironment: prod
  environments: {production: {}, prd: {}}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:23: 'defaultEnvironment' names the unknown environment 'prod' [did you mean 'prd'?]
)"},
    {"EnvironmentConfirm", R"(
  environments: {e: {confirm: [x]}}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:31: 'confirm' must be true, false or the question to ask
)"},
    {"IncludeMissing", R"(
  include: [more.yaml]
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:13: cannot read more.yaml: No such file or directory
)"},
    {"IncludeNotAList", R"(
  include: more.yaml
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:12: 'include' must be a list, not a string [write a list: [a, b]]
)"},
    {"IncludeItself", R"(
  include: [plan.yaml]
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:13: files include each other in a circle: plan.yaml -> plan.yaml
)"},
    {"ToolMissing", R"(
  tools: {helm: bin/helm}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:17: no such file: bin/helm
)"},
    {"YamlSyntax", R"(
  stages: [
)",
     R"(
plan.yaml:6:1: a value is missing here [check the indentation, quotes and brackets]
)"},
    {"YamlTab", R"(
  stages:
	- name: a
)",
     R"(
plan.yaml:6:1: a tab stands where YAML needs spaces [indent with spaces]
)"},
    {"YamlUnknownAlias", R"(
  stages: *x
)",
     R"(
plan.yaml:5:11: there is no anchor 'x' [define it before with &x]
)"},
};

INSTANTIATE_TEST_SUITE_P(Composition, BrokenPlans, testing::ValuesIn(kBrokenComposition), name_of);

}  // namespace
}  // namespace blackstart::plan
