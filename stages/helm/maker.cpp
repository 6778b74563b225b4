#include "stages/helm/maker.h"

#include <algorithm>

#include "stages/kube/applied.h"

namespace blackstart::stages::helm {
namespace {

kube::ObjectRef ref_of(const WantedRelease& wanted) {
  return {"helm.sh/v3", "Release", wanted.name_space, wanted.release};
}

std::optional<bool> noted(engine::Context& context, const WantedRelease& wanted) {
  const kube::ObjectRef ref = ref_of(wanted);
  for (const Applied& one : read_applied(context).value_or(std::vector<Applied>()))
    if (one.ref == ref) return one.made;
  return std::nullopt;
}

}  // namespace

Task<void> note_maker(engine::Context& context, const WantedRelease& wanted, bool is_there) {
  if (is_there && noted(context, wanted)) co_return;
  std::vector<Applied> one;
  one.push_back({ref_of(wanted), "", !is_there});
  co_await remember_applied(context, one);
}

Task<void> forget_maker(engine::Context& context, const WantedRelease& wanted) {
  const std::vector<Applied> nothing;
  if (noted(context, wanted)) co_await remember_applied(context, nothing);
}

bool maker_is_noted(engine::Context& context, const WantedRelease& wanted) {
  return noted(context, wanted).has_value();
}

bool installed_here(engine::Context& context, const WantedRelease& wanted,
                    const std::vector<Release>& releases) {
  if (auto made = noted(context, wanted)) return *made;
  const auto oldest = std::ranges::min_element(releases, {}, &Release::revision);
  return oldest != releases.end() && oldest->description.starts_with(kOurDescription);
}

}  // namespace blackstart::stages::helm
