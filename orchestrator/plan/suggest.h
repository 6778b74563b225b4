// "Did you mean" that stays short and cheap, however many names there are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace blackstart::plan {

/// "did you mean 'X'?"; when nothing is near "known: A, B" as long as that is a short list; else
/// empty.
std::string suggest(std::string_view name, const std::vector<std::string>& candidates);
/// The same without the list, for messages that have it already.
std::string suggest_near(std::string_view name, const std::vector<std::string>& candidates);

/// Suggests among many names, and stops after the first few mistakes: 20,000 misspelt names among
/// 20,000 must not take 20,000 times 20,000 looks.
class Suggester {
 public:
  /// `names()` gives the candidates and is only called while there is something left to spend.
  template <class Names>
  std::string among(std::string_view name, Names names) {
    if (left_ == 0) return {};
    --left_;
    return suggest(name, names());
  }

 private:
  int left_ = 100;
};

}  // namespace blackstart::plan
