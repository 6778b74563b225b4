// For how long the same trouble has lasted.
#pragma once

#include <string>

#include "orchestrator/base/text.h"
#include "orchestrator/engine/stage.h"

namespace blackstart::stages {

/// For how long trouble that may pass by itself must stay the same before a stage is given up, when
/// the plan does not say.
inline constexpr const char* kGraceText = "1m";
inline constexpr Duration kGrace = std::chrono::minutes(1);

inline std::string unchanged_for(Duration grace) {
  return " (unchanged for " + format_duration(grace) + ")";
}

/// The decision about what will not come true: at once, or after it has been so for `grace`.
inline engine::Decision given_up(std::string reason, Duration grace) {
  if (grace > Duration{}) reason += unchanged_for(grace);
  return engine::Decision::blocked(
      std::move(reason),
      "it will not become ready by itself: correct what is named, then apply again");
}

/// Starts anew whenever the trouble is another one.
class Grace {
 public:
  /// To be told at every look; an empty text: there is none.
  bool is_over(Instant now, const std::string& trouble, Duration grace) {
    if (trouble != trouble_) since_ = now;
    trouble_ = trouble;
    return !trouble.empty() && now - since_ >= grace;
  }
  /// When it will be, if the trouble stays.
  Instant ends(Duration grace) const { return since_ + grace; }

 private:
  std::string trouble_;
  Instant since_{};
};

}  // namespace blackstart::stages
