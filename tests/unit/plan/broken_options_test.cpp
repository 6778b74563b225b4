// What is wrong with options, paths and the cluster: the exact findings.
#include "tests/unit/plan/broken_plans.h"

namespace blackstart::plan {
namespace {

const BrokenPlan kBrokenOptions[] = {
    {"OptionUnknown", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        txt: x
)",
     R"(
plan.yaml:9:9: unknown key 'txt' in 'with' of stage 'a' (tool.make) [did you mean 'text'?]
)"},
    {"OptionWrongType", R"(
  stages:
    - name: a
      uses: tool.make
      with: {text: 1.10, count: "3", flag: 1}
)",
     R"(
plan.yaml:8:20: 'text' must be a string, not a number [put it in quotes to make it text]
plan.yaml:8:33: 'count' must be an integer, not a string
plan.yaml:8:44: 'flag' must be true or false, not an integer
)"},
    {"OptionInArgvSensitive", R"(
  vars:
    one: {type: string, sensitive: true, default: hunter2}
    all: {type: list, sensitive: true, default: [x, z]}
    none: {type: string, sensitive: true, default: ""}
  stages:
    - {name: c, uses: cluster.make}
    - {name: a, uses: tool.make, with: {argv: [login, "-p${{ vars.one }}", "${{ vars.none }}"]}}
    - {name: b, uses: tool.make, with: {argv: "${{ vars.all }}"}}
    - {name: d, uses: tool.make, with: {argv: ["${{ stages.c.outputs.token }}"]}}
    - {name: e, uses: tool.make, with: {argv: ["${{ stages.c.outputs.endpoint }}"], text: "${{ vars.one }}"}}
)",
     R"(
plan.yaml:11:55: 'argv' holds a sensitive value, and everybody on the machine can read the arguments of a process [argv: the command]
plan.yaml:12:47: 'argv' holds a sensitive value, and everybody on the machine can read the arguments of a process [argv: the command]
plan.yaml:13:48: 'argv' holds a sensitive value, and everybody on the machine can read the arguments of a process [argv: the command]
)"},
    {"OptionDuration", R"(
  stages:
    - name: a
      uses: tool.make
      with: {wait: 10}
)",
     R"(
plan.yaml:8:20: 'wait' must be a duration like 90s or 5m, not an integer [write the unit: 90s, 5m, 1h30m]
)"},
    {"OptionEnum", R"(
  stages:
    - name: a
      uses: tool.make
      with: {mode: fats}
)",
     R"(
plan.yaml:8:20: 'mode' must be one of fast, slow, not 'fats' [did you mean 'fast'?]
)"},
    {"OptionRequiredNested", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        chart: {version: 1.0.0}
)",
     R"(
plan.yaml:9:16: 'name' is missing in 'chart'
)"},
    {"OptionRequiredEmpty", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        chart: {name: }
)",
     R"(
plan.yaml:9:23: 'name' has no value in 'chart'
)"},
    {"OptionInList", R"(
  stages:
    - name: a
      uses: tool.make
      with:
        sources:
          - {name: x}
          - {nam: y}
          -
)",
     R"(
plan.yaml:11:13: 'name' is missing in an element of 'sources'
plan.yaml:11:14: unknown key 'nam' in an element of 'sources' [did you mean 'name'?]
plan.yaml:12:12: an element of 'sources' has no value
)"},
    {"OptionListFromText", R"(
  stages:
    - name: a
      uses: tool.make
      with: {sources: x}
)",
     R"(
plan.yaml:8:23: 'sources' must be a list, not a string [write a list: [a, b]]
)"},
    {"WithNotAMap", R"(
  stages:
    - {name: a, uses: tool.make, with: [1]}
)",
     R"(
plan.yaml:6:40: 'with' of stage 'a' (tool.make) must be a map, not a list
)"},
    {"PathMissing", R"(
  stages:
    - name: a
      uses: tool.make
      with: {file: conf/values.yaml}
)",
     R"(
plan.yaml:8:20: no such file or folder: conf/values.yaml
)"},
    {"PathMissingInList", R"(
  stages:
    - name: a
      uses: tool.make
      with: {files: [plan.yaml, ./b.yaml]}
)",
     R"(
plan.yaml:8:33: no such file or folder: b.yaml
)"},
    {"PathAbsolute", R"(
  stages:
    - name: a
      uses: tool.make
      with: {file: /plan/plan.yaml}
)",
     R"(
plan.yaml:8:20: warning: the path is absolute: the plan works on this machine only [write it relative to the plan, or read it from a variable with fromEnv]
)"},
    {"PathEmpty", R"(
  stages:
    - name: a
      uses: tool.make
      with: {file: ''}
)",
     R"(
plan.yaml:8:20: 'file' must be a path, not an empty text
)"},
    {"OneOfNone", R"(
  stages:
    - {name: a, uses: tool.one}
)",
     R"(
plan.yaml:6:7: one of 'path', 'inline' is missing in 'with' of stage 'a' (tool.one)
)"},
    {"OneOfBoth", R"(
  stages:
    - {name: a, uses: tool.one, with: {path: plan.yaml, inline: {}}}
)",
     R"(
plan.yaml:6:57: only one of 'path', 'inline' may be given in 'with' of stage 'a' (tool.one)
)"},
    {"StageTypeWarns", R"(
  stages:
    - {name: a, uses: exec}
)",
     R"(
plan.yaml:6:23: warning: exec can do anything: prefer a stage type
)"},
    {"ClusterMissing", R"(
  stages:
    - {name: a, uses: kube.apply}
)",
     R"(
plan.yaml:6:7: stage 'a' (kube.apply) works in a cluster, but the plan names none [add to spec: cluster: {kubeconfig: ${{ stages.NAME.outputs.kubeconfig }}} or the path of a kubeconfig]
)"},
    {"ClusterKeys", R"(
  cluster: {kubeconfg: x}
  stages:
    - {name: a, uses: tool.make}
)",
     R"(
plan.yaml:5:12: 'kubeconfig' is missing in 'cluster' [kubeconfig: kubeconfig file, often ${{ stages.NAME.outputs.kubeconfig }}]
plan.yaml:5:13: unknown key 'kubeconfg' in 'cluster' [did you mean 'kubeconfig'?]
)"},
    {"ClusterUnknownStage", R"(
  cluster: {kubeconfig: "${{ stages.b.outputs.kubeconfig }}"}
  stages:
    - {name: a, uses: kube.apply}
)",
     R"(
plan.yaml:5:30: unknown stage 'b' [known: a]
)"},
    {"ClusterMadeInCluster", R"(
  cluster: {kubeconfig: "${{ stages.a.outputs.x }}"}
  stages:
    - {name: a, uses: kube.apply}
)",
     R"(
plan.yaml:5:47: stage 'a' (kube.apply) has no output 'x'
plan.yaml:7:7: stages need each other in a circle: a -> a ['a' needs 'a' because an expression uses its output]
)"},
};

INSTANTIATE_TEST_SUITE_P(Options, BrokenPlans, testing::ValuesIn(kBrokenOptions), name_of);

}  // namespace
}  // namespace blackstart::plan
