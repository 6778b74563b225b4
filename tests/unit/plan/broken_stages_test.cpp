// What is wrong with stages and their edges: the exact findings.
#include "tests/unit/plan/broken_plans.h"

namespace blackstart::plan {
namespace {

const BrokenPlan kBrokenStages[] = {
    {"UnknownSpecKey", R"(
  stags: []
)",
     R"(
plan.yaml:5:3: unknown key 'stags' in spec [did you mean 'stages'?]
)"},
    {"StagesNotAList", R"(
  stages: {}
)",
     R"(
plan.yaml:5:11: 'stages' must be a list, not a map
)"},
    {"StageNotAMap", R"(
  stages: [a]
)",
     R"(
plan.yaml:5:12: a stage must be a map [write - name: NAME]
)"},
    {"StageWithoutName", R"(
  stages:
    - uses: tool.make
)",
     R"(
plan.yaml:6:7: the stage has no name [write - name: NAME]
)"},
    {"StageNameNoLabel", R"(
  stages:
    - {name: Big_One, uses: tool.make}
)",
     R"(
plan.yaml:6:14: a stage's name must be a DNS label [lower-case letters, digits and '-', at most 63 characters]
)"},
    {"DuplicateStage", R"(
  stages:
    - {name: a, uses: tool.make}
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:7:14: duplicate stage 'a', first at plan.yaml:6:14
)"},
    {"DuplicateKey", R"(
  stages:
    - name: a
      uses: tool.make
      uses: tool.one
)",
     R"(
plan.yaml:8:7: duplicate key 'uses', first at plan.yaml:7:7
)"},
    {"UnknownStageKey", R"(
  stages:
    - name: a
      uses: tool.make
      need: [b]
)",
     R"(
plan.yaml:8:7: unknown key 'need' in stage 'a' [did you mean 'needs'?]
)"},
    {"UsesMissing", R"(
  stages:
    - name: a
)",
     R"(
plan.yaml:6:7: 'uses' is missing in stage 'a' [uses: the stage type, e.g. helm.release]
)"},
    {"UsesUnknown", R"(
  stages:
    - {name: a, uses: tool.mak}
)",
     R"(
plan.yaml:6:23: unknown stage type 'tool.mak' [did you mean 'tool.make'?]
)"},
    {"UsesEmpty", R"(
  stages:
    - name: a
      uses:
)",
     R"(
plan.yaml:7:12: 'uses' has no value in stage 'a' [uses: the stage type, e.g. helm.release]
)"},
    {"NeedsUnknown", R"(
  stages:
    - {name: build, uses: tool.make}
    - {name: b, uses: tool.make, needs: [biuld]}
)",
     R"(
plan.yaml:7:42: 'needs' names the unknown stage 'biuld' [did you mean 'build'?]
)"},
    {"NeedsNotAList", R"(
  stages:
    - {name: a, uses: tool.make, needs: b}
)",
     R"(
plan.yaml:6:41: 'needs' must be a list, not a string [write a list: [a, b]]
)"},
    {"NeedsItemNoText", R"(
  stages:
    - {name: a, uses: tool.make, needs: [1]}
)",
     R"(
plan.yaml:6:42: an element of 'needs' must be a string, not an integer [put it in quotes to make it text]
)"},
    {"NeedsTwice", R"(
  stages:
    - {name: a, uses: tool.make}
    - {name: b, uses: tool.make, needs: [a, a]}
)",
     R"(
plan.yaml:7:45: warning: 'needs' names 'a' twice
)"},
    {"NeedsItself", R"(
  stages:
    - {name: a, uses: tool.make, needs: [a]}
)",
     R"(
plan.yaml:6:42: stages need each other in a circle: a -> a [remove one of these needs]
)"},
    {"Circle", R"(
  stages:
    - {name: a, uses: tool.make, needs: [c]}
    - {name: b, uses: tool.make, needs: [a]}
    - {name: c, uses: tool.make, needs: [b]}
)",
     R"(
plan.yaml:6:42: stages need each other in a circle: a -> c -> b -> a [remove one of these needs]
)"},
    {"CircleThroughOutput", R"(
  stages:
    - {name: a, uses: tool.make, needs: [b]}
    - {name: b, uses: tool.make, with: {text: "${{ stages.a.outputs.result }}"}}
)",
     R"(
plan.yaml:6:42: stages need each other in a circle: a -> b -> a [remove one of these needs]
)"},
    {"TwoCircles", R"(
  stages:
    - {name: a, uses: tool.make, needs: [b]}
    - {name: b, uses: tool.make, needs: [a]}
    - {name: c, uses: tool.make, needs: [d, a]}
    - {name: d, uses: tool.make, needs: [c]}
)",
     R"(
plan.yaml:6:42: stages need each other in a circle: a -> b -> a [remove one of these needs]
plan.yaml:8:42: stages need each other in a circle: c -> d -> c [remove one of these needs]
)"},
    {"TimeoutNoDuration", R"(
  stages:
    - {name: a, uses: tool.make, timeout: soon}
)",
     R"(
plan.yaml:6:43: 'timeout' must be a duration like 90s or 5m
)"},
    {"TimeoutWithoutUnit", R"(
  stages:
    - {name: a, uses: tool.make, timeout: 90}
)",
     R"(
plan.yaml:6:43: 'timeout' must be a duration like 90s or 5m, not an integer [write the unit: 90s, 5m, 1h30m]
)"},
    {"TimeoutZero", R"(
  stages:
    - {name: a, uses: tool.make, timeout: 0s}
)",
     R"(
plan.yaml:6:43: 'timeout' must be more than 0 and at most 168h
)"},
    {"RetryUnknownKey", R"(
  stages:
    - {name: a, uses: tool.make, retry: {attempt: 3}}
)",
     R"(
plan.yaml:6:42: unknown key 'attempt' in 'retry' [did you mean 'attempts'?]
)"},
    {"RetryAttempts", R"(
  stages:
    - {name: a, uses: tool.make, retry: {attempts: 0}}
)",
     R"(
plan.yaml:6:52: 'attempts' must be from 1 to 100
)"},
    {"RetryBackoff", R"(
  stages:
    - {name: a, uses: tool.make, retry: {backoff: 10s, maxBackoff: 5s}}
)",
     R"(
plan.yaml:6:41: 'maxBackoff' must not be shorter than 'backoff'
)"},
    {"OwnerUnknown", R"(
  stages:
    - {name: a, uses: tool.make, owner: argo}
)",
     R"(
plan.yaml:6:41: 'owner' must be one of blackstart, argocd, not 'argo'
)"},
    {"OnFailureUnknown", R"(
  stages:
    - {name: a, uses: tool.make, onFailure: abort}
)",
     R"(
plan.yaml:6:45: 'onFailure' must be one of continue, stop, not 'abort'
)"},
    {"ConfirmBoolean", R"(
  stages:
    - {name: a, uses: tool.make, confirm: true}
)",
     R"(
plan.yaml:6:43: 'confirm' must be never, once, always or the question to ask, not a boolean
)"},
    {"StackNoLabel", R"(
  stages:
    - {name: a, uses: tool.make, stack: my stack}
)",
     R"(
plan.yaml:6:41: 'stack' must be a label [letters, digits, '-', '_' and '.', at most 63 characters]
)"},
    {"TagNoLabel", R"(
  stages:
    - {name: a, uses: tool.make, tags: ['*']}
)",
     R"(
plan.yaml:6:41: a tag must be a label [letters, digits, '-', '_' and '.', at most 63 characters]
)"},
    {"WhenNotBoolean", R"(
  vars: {on_disk: x}
  stages:
    - {name: a, uses: tool.make, when: vars.on_disk}
)",
     R"(
plan.yaml:7:40: 'when' must be true or false, not a string [compare: vars.name == 'value']
)"},
    {"WhenUnknownName", R"(
  stages:
    - name: a
      uses: tool.make
      when: enviroment == 'x'
)",
     R"(
plan.yaml:8:13: unknown name 'enviroment' [an expression starts with vars.NAME, env.name or stages.NAME.outputs.NAME; text needs quotes: 'enviroment']
)"},
    {"WhenAList", R"(
  stages:
    - {name: a, uses: tool.make, when: [1]}
)",
     R"(
plan.yaml:6:40: 'when' must be true or false, not a list [compare: vars.name == 'value']
)"},
    {"WhenText", R"(
  stages:
    - {name: a, uses: tool.make, when: "x ${{ true }}"}
)",
     R"(
plan.yaml:6:40: 'when' must be one expression, with nothing around ${{ }}
)"},
};

INSTANTIATE_TEST_SUITE_P(Stages, BrokenPlans, testing::ValuesIn(kBrokenStages), name_of);

}  // namespace
}  // namespace blackstart::plan
