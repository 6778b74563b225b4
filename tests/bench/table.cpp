#include "tests/bench/table.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace blackstart::test {

Figure measure(const Invocation& invocation) {
  const Ran ran = run(invocation);
  if (ran.code != 0) throw std::runtime_error(invocation.argv[0] + " failed:\n" + ran.all());
  return {std::chrono::duration<double>(ran.elapsed).count(), ran.peak_kib};
}

Figure measure(const Invocation& invocation, int runs) {
  std::vector<Figure> figures;
  for (int i = 0; i < runs; ++i) figures.push_back(measure(invocation));
  return median(std::move(figures));
}

Figure median(std::vector<Figure> figures) {
  std::ranges::sort(figures, {}, &Figure::seconds);
  return figures[figures.size() / 2];
}

void row(const std::string& what, const Figure& ours, const std::string& peer,
         const Figure& theirs) {
  std::printf("%-44s %8.3f s %7ld MB   %-28s %8.3f s   ratio %.2f\n", what.c_str(), ours.seconds,
              ours.peak_kib / 1024, peer.c_str(), theirs.seconds, ours.seconds / theirs.seconds);
  std::fflush(stdout);
}

Invocation blackstart(std::vector<std::string> args, const std::string& state) {
  Invocation invocation;
  invocation.argv = {BLACKSTART_PROGRAM};
  invocation.argv.insert(invocation.argv.end(), args.begin(), args.end());
  invocation.environment["XDG_STATE_HOME"] = state;
  return invocation;
}

std::string part(const std::string& tool) {
  return std::string(SOURCE_FOLDER) + "/build/parts/bin/" + tool;
}

}  // namespace blackstart::test
