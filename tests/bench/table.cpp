#include "tests/bench/table.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace blackstart::test {

namespace {

const char* verdict(bool reached) { return reached ? "reached" : "NOT REACHED"; }

double middle(const std::vector<double>& sorted) {
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

std::vector<double> sorted_ratios(const Figures& ours, const Figures& theirs) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i].seconds / theirs[i].seconds);
  std::ranges::sort(ratios);
  return ratios;
}

}  // namespace

Figure measure(const Invocation& invocation) {
  const Ran ran = run(invocation);
  if (ran.code != 0) throw std::runtime_error(invocation.argv[0] + " failed:\n" + ran.all());
  return {std::chrono::duration<double>(ran.elapsed).count(), ran.peak_kib};
}

double median(const Figures& figures) {
  std::vector<double> seconds;
  for (const Figure& figure : figures) seconds.push_back(figure.seconds);
  std::ranges::sort(seconds);
  return middle(seconds);
}

void row(const std::string& what, const Figures& ours, const std::string& peer,
         const Figures& theirs, Goal goal) {
  const std::vector<double> ratios = sorted_ratios(ours, theirs);
  const long peak = std::ranges::max(ours, {}, &Figure::peak_kib).peak_kib;
  std::printf("%-44s %9.4f s %4ld MB   %-34s %9.4f s   ratio %.3f (%.3f to %.3f, %zu rounds)",
              what.c_str(), median(ours), peak / 1024, peer.c_str(), median(theirs), middle(ratios),
              ratios.front(), ratios.back(), ratios.size());
  if (goal.ratio != 0)
    std::printf("   goal: at most %.2f: %s", goal.ratio, verdict(middle(ratios) <= goal.ratio));
  std::printf("\n");
  std::fflush(stdout);
}

void row(const std::string& what, const Invocation& ours, const std::string& peer,
         const Invocation& theirs, int rounds) {
  Figures mine, others;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) mine.push_back(measure(ours));
    others.push_back(measure(theirs));
    if (round % 2 == 1) mine.push_back(measure(ours));
  }
  row(what, mine, peer, others);
}

void row(const std::string& what, const std::string& seen, const std::string& goal, bool reached) {
  std::printf("%-44s %s   goal: %s: %s\n", what.c_str(), seen.c_str(), goal.c_str(),
              verdict(reached));
  std::fflush(stdout);
}

}  // namespace blackstart::test
