// What it costs, each figure against a named peer in the same run. Ratios count; the seconds are
// this machine's. Usage: tests/bench/run [graph|start|rehearsal|apply|ready]…
#include <map>

#include "tests/bench/table.h"

int main(int argc, char** argv) {
  using namespace blackstart::test;  // main cannot be in it
  const std::map<std::string, void (*)()> all{{"graph", bench_graph},
                                              {"start", bench_start},
                                              {"rehearsal", bench_rehearsal},
                                              {"apply", bench_apply},
                                              {"ready", bench_ready}};
  for (const auto& [name, bench] : all) {
    bool chosen = argc == 1;
    for (int i = 1; i < argc; ++i) chosen = chosen || argv[i] == name;
    if (chosen) bench();
  }
}
