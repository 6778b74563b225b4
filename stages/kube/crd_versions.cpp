#include "stages/kube/crd_versions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages {
namespace {

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// {stability (alpha 1, beta 2, stable 3), major, minor}; all zero for names of another form.
std::array<int64_t, 3> rank(std::string_view version) {
  if (!version.starts_with('v')) return {};
  version.remove_prefix(1);
  size_t digits = std::min(version.find_first_not_of("0123456789"), version.size());
  auto major = number(version.substr(0, digits));
  if (!major) return {};
  std::string_view rest = version.substr(digits);
  if (rest.empty()) return {3, *major, 0};
  int stability = rest.starts_with("alpha") ? 1 : rest.starts_with("beta") ? 2 : 0;
  auto minor = stability ? number(rest.substr(stability == 1 ? 5 : 4)) : std::nullopt;
  if (!minor) return {};
  return {stability, *major, *minor};
}

struct Release {
  std::vector<int64_t> numbers;
  std::vector<std::string> pre;  // "rc.1" in two; empty = it is no pre-release
};

std::optional<Release> parse_release(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  text = text.substr(0, text.find_first_of("+_"));  // labels have _ for +
  Release release;
  size_t dash = text.find('-');
  if (dash != text.npos) release.pre = split(text.substr(dash + 1), '.');
  for (const std::string& part : split(text.substr(0, dash), '.')) {
    auto value = number(part);
    if (!value) return std::nullopt;
    release.numbers.push_back(*value);
  }
  release.numbers.resize(std::max<size_t>(release.numbers.size(), 3));
  return release;
}

/// Semantic versioning: numbers count as numbers, and less than words.
bool older_part(const std::string& left, const std::string& right) {
  auto a = number(left);
  auto b = number(right);
  if (a && b) return *a < *b;
  return a || b ? a.has_value() : left < right;
}

struct Versions {
  std::vector<std::string> names;
  std::vector<std::string> served;
  std::vector<std::string> stored;  // objects may be
};

Versions versions_of(const boost::json::value& crd) {
  Versions result;
  for (const auto& version : kube::list_at(crd, {"spec", "versions"})) {
    result.names.push_back(kube::text_at(version, {"name"}));
    if (kube::flag_at(version, {"served"})) result.served.push_back(result.names.back());
  }
  for (const auto& version : kube::list_at(crd, {"status", "storedVersions"}))
    if (version.is_string()) result.stored.emplace_back(version.get_string());
  return result;
}

bool has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// A version that goes is fine when newer ones stay; when all that stay are older it is a step
/// back.
std::string lost_version(const Versions& wanted, const Versions& live) {
  if (wanted.names.empty()) return {};
  auto newest = *std::max_element(wanted.names.begin(), wanted.names.end(), older_api_version);
  auto is_lost = [&](const std::string& name) {
    return !has(wanted.names, name) && older_api_version(newest, name);
  };
  const std::string than = "the wanted one knows nothing newer than " + newest;
  for (const auto& name : live.served)
    if (is_lost(name)) return "it serves " + name + ", " + than;
  for (const auto& name : live.stored)
    if (is_lost(name)) return "objects may be stored as " + name + ", " + than;
  return {};
}

/// "argo-cd-9.1.0" -> {"argo-cd", "9.1.0"}: the first dash that a dotted version follows parts
/// them, for a pre-release has dashes too.
std::pair<std::string, std::string> chart_parts(const std::string& chart) {
  for (size_t dash = chart.find('-'); dash != chart.npos; dash = chart.find('-', dash + 1)) {
    std::string version = chart.substr(dash + 1);
    bool dotted = version.find('.') < version.find('-');
    if (dotted && parse_release(version)) return {chart.substr(0, dash), version};
  }
  return {};
}

struct Mark {
  const char* where;  // "labels" or "annotations"
  const char* key;
};

// From the most to the least telling. Only the first that both carry is asked: controller-gen's is
// the generator's version, which says something only when nothing else does.
constexpr Mark kMarks[] = {
    {"annotations", "gateway.networking.k8s.io/bundle-version"},
    {"labels", "app.kubernetes.io/version"},
    {"annotations", "controller-gen.kubebuilder.io/version"},
};

/// The standard channel of Gateway API lacks fields and kinds that objects of the experimental one
/// may have.
std::string lower_channel(const boost::json::value& wanted, const boost::json::value& live) {
  constexpr const char* kChannel = "gateway.networking.k8s.io/channel";
  std::string ours = kube::text_at(wanted, {"metadata", "annotations", kChannel});
  std::string theirs = kube::text_at(live, {"metadata", "annotations", kChannel});
  if (ours != "standard" || theirs != "experimental") return {};
  return "it is of Gateway API's experimental channel, the wanted one of the standard channel: "
         "fields that only the experimental one has would be lost";
}

std::string older_mark(const boost::json::value& wanted, const boost::json::value& live) {
  auto [wanted_chart, wanted_version] =
      chart_parts(kube::text_at(wanted, {"metadata", "labels", "helm.sh/chart"}));
  auto [live_chart, live_version] =
      chart_parts(kube::text_at(live, {"metadata", "labels", "helm.sh/chart"}));
  if (!live_chart.empty() && live_chart == wanted_chart)
    return older_release(wanted_version, live_version)
               ? "it is of chart " + live_chart + " " + live_version + ", the wanted one of " +
                     wanted_version
               : "";
  for (const Mark& mark : kMarks) {
    std::string ours = kube::text_at(wanted, {"metadata", mark.where, mark.key});
    std::string theirs = kube::text_at(live, {"metadata", mark.where, mark.key});
    if (ours.empty() || theirs.empty()) continue;
    return older_release(ours, theirs)
               ? "its " + std::string(mark.key) + " is " + theirs + ", the wanted one's " + ours
               : "";
  }
  return {};
}

}  // namespace

bool older_api_version(std::string_view left, std::string_view right) {
  return rank(left) < rank(right);
}

bool older_release(std::string_view left, std::string_view right) {
  auto a = parse_release(left);
  auto b = parse_release(right);
  if (!a || !b) return false;
  a->numbers.resize(std::max(a->numbers.size(), b->numbers.size()));
  b->numbers.resize(a->numbers.size());
  if (a->numbers != b->numbers) return a->numbers < b->numbers;
  if (a->pre.empty() || b->pre.empty()) return !a->pre.empty() && b->pre.empty();
  return std::ranges::lexicographical_compare(a->pre, b->pre, older_part);
}

std::string why_unmigrated(const boost::json::value& wanted, const boost::json::value& live) {
  Versions ours = versions_of(wanted);
  for (const auto& name : versions_of(live).stored)
    if (!has(ours.names, name))
      return "objects may be stored as " + name + ", which the wanted one knows no more";
  return {};
}

std::string why_downgrade(const boost::json::value& wanted, const boost::json::value& live) {
  if (auto why = lost_version(versions_of(wanted), versions_of(live)); !why.empty()) return why;
  if (auto why = lower_channel(wanted, live); !why.empty()) return why;
  return older_mark(wanted, live);
}

}  // namespace blackstart::stages
