// The whole starter plan, against its tools by hand.
#include "tests/bench/table.h"

namespace blackstart::test {

namespace {

constexpr int kRounds = 3;

Figure by_hand(const Rehearsal& rehearsal) {
  const TemporaryFolder scratch;
  Invocation script;
  script.argv = {"bash", std::string(SOURCE_FOLDER) + "/tests/bench/by_hand.sh", parts_folder(),
                 rehearsal.folder(), scratch.path()};
  return measure(script);
}

}  // namespace

void bench_rehearsal() {
  Figures ours, theirs;
  for (int round = 0; round < kRounds; ++round) {
    Rehearsal rehearsal;
    rehearsal.init();
    if (round % 2 == 1) theirs.push_back(by_hand(rehearsal));
    ours.push_back(measure(rehearsal.to_blackstart({"apply"})));
    rehearsal.destroy();
    if (round % 2 == 0) theirs.push_back(by_hand(rehearsal));
  }
  row("the whole rehearsal", ours, "its tools, by hand", theirs);
}

}  // namespace blackstart::test
