#include "stages/helm/ownership.h"

#include "orchestrator/base/text.h"
#include "orchestrator/kube/apply.h"
#include "orchestrator/kube/manifest.h"

namespace blackstart::stages::helm {
namespace {

constexpr size_t kNamed = 20;

std::string title_of(const Foreign& foreign) {
  return foreign.ref.to_string() + " belongs to " +
         (foreign.release.empty() ? "no release" : "release " + foreign.release);
}

bool belongs_to_another(const Foreign& foreign) { return !foreign.release.empty(); }

}  // namespace

std::optional<Foreign> foreign_to(const WantedRelease& wanted, const boost::json::value& live) {
  auto annotation = [&live](const char* name) {
    return kube::text_at(live, {"metadata", "annotations", name});
  };
  bool managed =
      kube::text_at(live, {"metadata", "labels", "app.kubernetes.io/managed-by"}) == "Helm";
  std::string name = annotation("meta.helm.sh/release-name");
  std::string name_space = annotation("meta.helm.sh/release-namespace");
  bool ours = name == wanted.release && name_space == wanted.name_space;
  if (managed && ours) return std::nullopt;
  bool theirs = !name.empty() && !ours;
  return Foreign{kube::ref_of(live), theirs ? name_space + "/" + name : std::string()};
}

Task<std::vector<Foreign>> find_foreign(kube::Client& client, WantedRelease wanted,
                                        std::string manifest) {
  Diagnostics diagnostics;
  kube::Manifests objects = kube::read_manifests(manifest, "release " + wanted.name(), diagnostics);
  kube::throw_if_broken(diagnostics, "the manifest of release " + wanted.name());
  objects = co_await kube::with_namespace(client, std::move(objects), wanted.name_space);
  std::vector<Foreign> found;
  for (const kube::Manifest& object : objects) {
    auto live = co_await client.get(object.ref());
    auto foreign = live ? foreign_to(wanted, *live) : std::nullopt;
    if (foreign) found.push_back(std::move(*foreign));
  }
  co_return found;
}

void explain_foreign(const std::vector<Foreign>& found, Error& error) {
  for (size_t i = 0; i < found.size() && i < kNamed; ++i) error.because(title_of(found[i]));
  if (found.size() > kNamed)
    error.because("… and " + count_of(found.size() - kNamed, "more object"));
  if (std::any_of(found.begin(), found.end(), belongs_to_another))
    error.hint("an object can belong to one release: take it out of one of the two charts");
}

std::optional<Error> refuse_to_take(const WantedRelease& wanted,
                                    const std::vector<Foreign>& found) {
  std::vector<Foreign> theirs;
  std::copy_if(found.begin(), found.end(), std::back_inserter(theirs), belongs_to_another);
  if (theirs.empty()) return std::nullopt;
  Error error(ErrorClass::kPermanent, "release " + wanted.name() + " would take over " +
                                          count_of(theirs.size(), "object") +
                                          " of another release");
  explain_foreign(theirs, error);
  return error;
}

}  // namespace blackstart::stages::helm
