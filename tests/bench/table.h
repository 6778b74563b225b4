// What a benchmark measures and how it prints it: one row a figure, always beside a named peer.
#pragma once

#include <string>
#include <vector>

#include "tests/integration/support/program.h"

namespace blackstart::test {

/// One run: wall-clock time, and the resident memory of its process at most.
struct Figure {
  double seconds = 0;
  long peak_kib = 0;
};
/// One command, a figure for each round.
using Figures = std::vector<Figure>;

/// Runs it; throws with its output when it fails.
Figure measure(const Invocation& invocation);
/// Of its seconds.
double median(const Figures& figures);

/// The ratio may be so much; none without.
struct Goal {
  double ratio = 0;
};

/// Prints the medians, the most memory of ours, and ours divided by theirs: the median, the least
/// and the most of the rounds' own ratios, because two runs of one round have seen the same
/// machine.
void row(const std::string& what, const Figures& ours, const std::string& peer,
         const Figures& theirs, Goal goal = {});
/// Measures both in turns, the one first and then the other, and prints the row.
void row(const std::string& what, const Invocation& ours, const std::string& peer,
         const Invocation& theirs, int rounds);
/// Prints what has no peer, beside its goal.
void row(const std::string& what, const std::string& seen, const std::string& goal, bool reached);

/// The benchmarks, each in a file of its name.
void bench_graph();
void bench_start();
void bench_rehearsal();
void bench_apply();
void bench_ready();

}  // namespace blackstart::test
