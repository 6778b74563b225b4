#include "orchestrator/plan/suggest.h"

#include <algorithm>

#include "orchestrator/base/text.h"

namespace blackstart::plan {
namespace {

constexpr size_t kCompared = 500;  // 20,000 misspelt needs among 20,000 names must stay fast

/// Two neighbours swapped: the most common slip, but two edits to an edit distance.
bool is_swapped(std::string_view name, std::string_view candidate) {
  if (name.size() != candidate.size()) return false;
  auto [left, right] = std::ranges::mismatch(name, candidate);
  if (left == name.end() || left + 1 == name.end()) return false;
  return left[0] == right[1] && left[1] == right[0] && std::equal(left + 2, name.end(), right + 2);
}

bool is_likely(std::string_view name, std::string_view candidate) {
  return !candidate.empty() && candidate.front() == name.front() &&
         candidate.size() <= name.size() + 2 && name.size() <= candidate.size() + 2;
}

std::vector<std::string> likely_among(std::string_view name,
                                      const std::vector<std::string>& candidates) {
  std::vector<std::string> likely;
  for (const std::string& candidate : candidates) {
    if (likely.size() < kCompared && is_likely(name, candidate)) likely.push_back(candidate);
  }
  return likely;
}

}  // namespace

std::string suggest_near(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() < 3) return {};
  auto swapped = std::ranges::find_if(
      candidates, [&](const std::string& other) { return is_swapped(name, other); });
  if (swapped != candidates.end()) return "did you mean '" + *swapped + "'?";
  auto near = candidates.size() > kCompared ? did_you_mean(name, likely_among(name, candidates))
                                            : did_you_mean(name, candidates);
  return near ? "did you mean '" + *near + "'?" : "";
}

std::string suggest(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr size_t kListed = 12;
  std::string near = suggest_near(name, candidates);
  if (!near.empty() || candidates.empty() || candidates.size() > kListed) return near;
  return "known: " + join(candidates, ", ");
}

}  // namespace blackstart::plan
