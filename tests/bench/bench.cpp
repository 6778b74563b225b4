// What it costs, each figure against a named peer in the same run. Ratios count; the seconds are
// this machine's. Usage: tests/bench/run [graph|start|rehearsal]…
#include <gtest/gtest.h>  // shell.cpp reports through it

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/integration/support/shell.h"

namespace blackstart::test {
namespace {

namespace fs = std::filesystem;

struct Figure {
  double seconds = 0;
  long peak_kib = 0;
};

/// The median of several runs; a run that fails ends the benchmark.
Figure measure(const Invocation& invocation, int runs) {
  std::vector<Figure> figures;
  for (int i = 0; i < runs; ++i) {
    Ran ran = run(invocation);
    if (ran.code != 0) throw std::runtime_error(invocation.argv[0] + " failed:\n" + ran.all());
    figures.push_back({static_cast<double>(ran.elapsed.count()) / 1000, ran.peak_kib});
  }
  std::ranges::sort(figures, {}, &Figure::seconds);
  return figures[figures.size() / 2];
}

void row(const std::string& what, const Figure& ours, const std::string& peer,
         const Figure& theirs) {
  std::printf("%-44s %8.3f s %7ld MB   %-24s %8.3f s   ratio %.2f\n", what.c_str(), ours.seconds,
              ours.peak_kib / 1024, peer.c_str(), theirs.seconds, ours.seconds / theirs.seconds);
  std::fflush(stdout);
}

/// `count` files, each of which needs the one before it (chain) or none (wide), as a plan and for
/// ninja.
void write_graph(const fs::path& folder, size_t count, bool chain) {
  constexpr size_t kStagesPerFile = 4000;  // a plan file has at most 1 MiB
  std::ofstream plan(folder / "plan.yaml"), ninja(folder / "build.ninja");
  plan << "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: bench}\nspec:\n  "
          "include:\n";
  ninja << "rule make\n  command = touch $out\n";
  std::ofstream part;
  for (size_t i = 0; i < count; ++i) {
    if (i % kStagesPerFile == 0) {
      std::string name = "part" + std::to_string(i / kStagesPerFile) + ".yaml";
      plan << "    - " << name << "\n";
      part = std::ofstream(folder / name);
      part << "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: part}\nspec:\n  "
              "stages:\n";
    }
    std::string file = (folder / ("f" + std::to_string(i))).string();
    bool needs = chain && i > 0;
    std::ofstream(file).put('x');
    part << "    - {name: s" << i << ", uses: bench.file, with: {path: " << file << "}";
    if (needs) part << ", needs: [s" << i - 1 << "]";
    part << "}\n";
    ninja << "build f" << i << ": make" << (needs ? " f" + std::to_string(i - 1) : std::string())
          << "\n";
  }
}

void graph() {
  for (bool chain : {true, false}) {
    for (size_t count : {2500u, 10000u}) {
      TemporaryFolder folder;
      write_graph(folder.path(), count, chain);
      Invocation prepare;
      prepare.argv = {"ninja", "-C", folder.path()};
      run(prepare);
      Invocation ours;
      ours.argv = {GRAPH_RUN, folder.path()};
      run(ours);
      Figure mine = measure(ours, 5);
      Figure theirs = measure(prepare, 5);
      row(std::to_string(count) + (chain ? " stages in a chain" : " stages side by side") +
              ", nothing to do",
          mine, "ninja", theirs);
    }
  }
}

void start() {
  Invocation version;
  version.argv = {BLACKSTART_PROGRAM, "--version"};
  Invocation peer;
  peer.argv = {"ninja", "--version"};
  row("blackstart --version", measure(version, 11), "ninja --version", measure(peer, 11));
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
  kustomize.argv = {std::string(SOURCE_FOLDER) + "/build/parts/bin/kustomize", "build",
                    folder.path() + "/k"};
  row("validate of a plan with 100 stages", measure(validate, 11), "kustomize build of 100",
      measure(kustomize, 11));
}

void rehearsal() {
  for (int round = 0; round < 3; ++round) {
    TemporaryFolder folder;
    std::string repository = folder.path() + "/homelab";
    std::map<std::string, std::string> environment{{"XDG_STATE_HOME", folder.path() + "/state"}};
    auto blackstart = [&](std::vector<std::string> args) {
      Invocation invocation;
      invocation.argv = {BLACKSTART_PROGRAM};
      invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
      invocation.environment = environment;
      return invocation;
    };
    measure(blackstart({"init", repository}), 1);
    Figure ours = measure(blackstart({"apply", repository}), 1);
    measure(blackstart({"destroy", "--yes", repository}), 1);
    Invocation by_hand;
    by_hand.argv = {"bash", std::string(SOURCE_FOLDER) + "/tests/bench/by_hand.sh",
                    std::string(SOURCE_FOLDER) + "/build/parts/bin", repository,
                    folder.path() + "/by-hand"};
    row("the whole rehearsal", ours, "its tools, by hand", measure(by_hand, 1));
  }
}

}  // namespace
}  // namespace blackstart::test

int main(int argc, char** argv) {
  using namespace blackstart::test;  // main cannot be in it
  const std::map<std::string, void (*)()> all{
      {"graph", graph}, {"start", start}, {"rehearsal", rehearsal}};
  for (const auto& [name, bench] : all) {
    bool chosen = argc == 1;
    for (int i = 1; i < argc; ++i) chosen = chosen || argv[i] == name;
    if (chosen) bench();
  }
}
