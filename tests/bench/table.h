// What a benchmark measures and how it prints it: one row a figure, always beside a named peer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/integration/support/shell.h"

namespace blackstart::test {

/// One run: wall-clock time, and the resident memory of its process at most (0 = not measured).
struct Figure {
  double seconds = 0;
  long peak_kib = 0;
};

/// Runs it; throws with its output when it fails.
Figure measure(const Invocation& invocation);
/// The median of several runs.
Figure measure(const Invocation& invocation, int runs);
Figure median(std::vector<Figure> figures);

/// Prints ours, theirs and ours divided by theirs.
void row(const std::string& what, const Figure& ours, const std::string& peer,
         const Figure& theirs);

/// The program under measurement with its state in `state`.
Invocation blackstart(std::vector<std::string> args, const std::string& state);
/// The path of a pinned tool.
std::string part(const std::string& tool);

/// The benchmarks, each in a file of its name.
void bench_graph();
void bench_start();
void bench_rehearsal();
void bench_apply();
void bench_ready();

}  // namespace blackstart::test
