// How a release stands, and what is to be done about it: pure, so that every case can be a row of a
// test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/stage.h"
#include "stages/helm/release_objects.h"
#include "stages/helm/release_options.h"
#include "stages/helm/release_record.h"

namespace blackstart::stages::helm {

struct Situation {
  enum class Kind {
    kAbsent,       // helm knows no such release
    kDiffers,      // another chart, other values, objects missing, or the last attempt failed
    kInterrupted,  // unfinished, and no helm works on it any more
    kBusy,         // unfinished, and for all we know a helm of somebody else is at work
    kUnready,      // as wanted; its objects are on their way
    kStuck,        // as wanted; an object will not become ready by itself
    kReady,
  };
  Kind kind = Kind::kAbsent;
  std::string reason;                    // a sentence
  std::vector<std::string> differences;  // kDiffers: a phrase each
  std::vector<std::string> causes;       // kStuck, kUnready: events and log lines
  std::vector<std::string> unready;      // kStuck, kUnready: the objects
  std::string stalled;          // kUnready: what may pass by itself, when nothing else holds it up
  std::string secret;           // kInterrupted: the unfinished record, when it is to be forgotten
  int64_t rollback_to = 0;      // kInterrupted: the revision to go back to, when there is one
  size_t applications = 0;      // Argo CD Applications that depend on it, when it is Argo CD
  std::string handed_over;      // the Application that manages its objects now
  bool installed_here = false;  // by this stage; else it was there before
};

/// From helm's records alone. `interrupted_revision`: what a helm of ours was making when it died,
/// 0 = none.
Situation judge_record(const WantedRelease& wanted, const std::vector<Release>& releases,
                       int64_t interrupted_revision, WallTime now);
/// Completes it with how the objects stand.
void judge_objects(const WantedRelease& wanted, const ObjectsState& state, Situation& situation);
/// "2 objects of release web/web are not ready: WHY".
std::string describe_unready(const WantedRelease& wanted, const ObjectsState& state,
                             const std::string& why);

engine::Observation describe_release(const WantedRelease& wanted, const Situation& situation,
                                     const Release* current);
engine::Decision decide_release(const WantedRelease& wanted, const Situation& situation,
                                const engine::Observation& seen);
engine::Decision decide_release_removal(const WantedRelease& wanted, const Situation& situation,
                                        const engine::Observation& seen);

}  // namespace blackstart::stages::helm
