// The whole starter plan, against its tools by hand.
#include "tests/bench/table.h"

namespace blackstart::test {

void bench_rehearsal() {
  for (int round = 0; round < 3; ++round) {
    TemporaryFolder folder;
    std::string repository = folder.path() + "/homelab";
    std::string state = folder.path() + "/state";
    measure(blackstart({"init", repository}, state));
    Figure ours = measure(blackstart({"apply", repository}, state));
    measure(blackstart({"destroy", "--yes", repository}, state));
    Invocation by_hand;
    by_hand.argv = {"bash", std::string(SOURCE_FOLDER) + "/tests/bench/by_hand.sh", part(""),
                    repository, folder.path() + "/by-hand"};
    row("the whole rehearsal", ours, "its tools, by hand", measure(by_hand));
  }
}

}  // namespace blackstart::test
