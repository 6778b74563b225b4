// The engine over a graph of stages with nothing to do, against ninja.
#include <filesystem>
#include <fstream>

#include "tests/bench/table.h"

namespace blackstart::test {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 5;

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

}  // namespace

void bench_graph() {
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
      row(std::to_string(count) + (chain ? " stages in a chain" : " stages side by side") +
              ", nothing to do",
          ours, "ninja", prepare, kRounds);
    }
  }
}

}  // namespace blackstart::test
