// How long until the program answers, against ninja and kustomize.
#include "tests/bench/table.h"

namespace blackstart::test {

namespace {
constexpr int kRounds = 21;
}

void bench_start() {
  Invocation version;
  version.argv = {BLACKSTART_PROGRAM, "--version"};
  Invocation peer;
  peer.argv = {"ninja", "--version"};
  row("blackstart --version", version, "ninja --version", peer, kRounds);
  TemporaryFolder folder;
  std::string plan =
      "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: hundred}\nspec:\n  "
      "stages:\n";
  std::string manifest;
  for (int i = 0; i < 100; ++i) {
    plan += "    - {name: s" + std::to_string(i) +
            ", uses: exec, with: {argv: [/bin/true], check: [/bin/true]}}\n";
    manifest +=
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c" + std::to_string(i) + "}\n";
  }
  Invocation validate;
  validate.argv = {BLACKSTART_PROGRAM, "validate", folder.write("plan.yaml", plan)};
  Invocation kustomize;
  folder.write("k/all.yaml", manifest);
  folder.write("k/kustomization.yaml", "resources: [all.yaml]\n");
  kustomize.argv = {part("kustomize"), "build", folder.path() + "/k"};
  row("validate of a plan with 100 stages", validate, "kustomize build of 100", kustomize, kRounds);
}

}  // namespace blackstart::test
