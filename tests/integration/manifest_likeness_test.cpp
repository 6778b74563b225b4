// Our judgement of manifests beside kubectl's, on a real API server: what `kubectl apply
// --dry-run=server` refuses we refuse with a place, and what both take becomes the same object.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "orchestrator/kube/api_error.h"
#include "orchestrator/kube/field_place.h"
#include "orchestrator/kube/manifest.h"
#include "tests/integration/real_cluster.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;

/// What became of one file: the objects that the server would store, or why not.
struct Judgement {
  std::map<std::string, json::value> objects;
  std::string refusal;
  Place place;  // of ours
};

/// What the server sets by itself, and what only kubectl writes.
json::value without_the_servers_part(json::value object) {
  auto& metadata = object.at("metadata").as_object();
  for (const char* key : {"managedFields", "uid", "creationTimestamp", "resourceVersion"})
    metadata.erase(key);
  if (json::value* annotations = metadata.if_contains("annotations")) {
    annotations->as_object().erase("kubectl.kubernetes.io/last-applied-configuration");
    if (annotations->as_object().empty()) metadata.erase("annotations");
  }
  if (kube::text_at(object, {"kind"}) == "Service")  // its address is drawn anew each time
    for (const char* key : {"clusterIP", "clusterIPs"}) object.at("spec").as_object().erase(key);
  return object;
}

void put(Judgement& judgement, const json::value& object) {
  judgement.objects[kube::ref_of(object).to_string()] = without_the_servers_part(object);
}

class ManifestLikeness : public OnRealCluster {
 protected:
  Judgement by_kubectl(const std::string& file) {
    Ran ran = cluster().kubectl(
        {"apply", "--dry-run=server", "-o", "json", "-n", name_space(), "-f", file});
    Judgement judgement;
    if (ran.code != 0) {
      judgement.refusal = ran.err;
      return judgement;
    }
    json::value out = json::parse(ran.out);
    if (kube::text_at(out, {"kind"}) == "List") {
      for (const auto& item : kube::list_at(out, {"items"})) put(judgement, item);
    } else {
      put(judgement, out);
    }
    return judgement;
  }

  Judgement by_us(const std::string& file) {
    Judgement judgement;
    Diagnostics findings;
    const Files& files = client().world().files;
    auto manifests = kube::load_manifests(files, file, findings);
    if (findings.has_errors()) {
      judgement.refusal = findings.sorted().front().message;
      judgement.place = findings.sorted().front().place;
      return judgement;
    }
    if (manifests.empty()) judgement.refusal = "no objects";
    manifests = result(kube::with_namespace(client(), manifests, name_space()));
    for (const auto& manifest : manifests) try_on_server(manifest, judgement);
    return judgement;
  }

 private:
  void try_on_server(const kube::Manifest& manifest, Judgement& judgement) {
    const kube::Client::ApplyOptions options("blackstart", false, true);
    try {
      put(judgement, result(client().apply(manifest.object, options)));
    } catch (const Error& error) {
      judgement.refusal = error.full_text();
      judgement.place = kube::place_of_field(client().world().files, manifest, judgement.refusal);
    }
  }
};

/// Where we and kubectl part: what we do ("refused", "taken"), and why that is so.
const std::map<std::string, const char*> kExplained = {
    // kubectl takes the last of two equal keys; most often a `---` is missing, and an object is
    // lost.
    {"documents-missing-marker.yaml", "refused: an object would be lost without a word"},
    {"key-duplicate.yaml", "refused: only one of two equal keys can be meant"},
    {"key-duplicate-label.yaml", "refused: the same"},
    {"key-duplicate-number.yaml", "refused: the same"},
    {"key-duplicate-quoted.yaml", "refused: the same"},
    {"key-duplicate-top.yaml", "refused: the same"},
    {"json-duplicate-key.json", "refused: the same"},
    // kubectl reads up to the `...` and drops what follows.
    {"documents-dots-without-marker.yaml", "refused: kubectl drops the second document"},
    {"object-twice.yaml", "refused: the second would undo the first at every run"},
    // kubectl makes U+FFFD of each byte.
    {"bytes-invalid-utf8.yaml", "refused: it is no text"},
    {"bytes-latin1.yaml", "refused: it is no text"},
    {"bytes-utf16.yaml", "refused: files are UTF-8"},
    {"bytes-bom-second-document.yaml", "refused: a mark inside a file is no part of YAML"},
    // The rules of server-side apply, which kubectl does not use by default.
    {"field-duplicate-list-key.yaml",
     "refused by server-side apply: the entries are merged by name"},
    {"field-duplicate-port.yaml", "refused by server-side apply: the same"},
    // kubectl cuts the file at lines that begin with --- before anything reads YAML.
    {"documents-marker-with-content.yaml", "taken: it is a document"},
    {"documents-tag-directive.yaml", "taken: a directive belongs to the document after it"},
    {"documents-yaml-directive.yaml", "taken: the same"},
    {"list-nested.yaml", "taken: a List in a List is taken apart as well"},
    // JSON goes through libyaml.
    {"json-two.json", "refused: values behind one another are no YAML; use a List"},
    {"json-two-same-line.json", "refused: the same"},
};

/// Where the objects differ: a null in a map of texts is an empty text to server-side apply, and
/// left out by the POST of kubectl.
const std::set<std::string> kNullIsEmpty = {
    "label-null.yaml",     "secret-data-null.yaml", "secret-string-data-null.yaml",
    "string-nothing.yaml", "string-null-tag.yaml",  "string-null.yaml",
    "string-tilde.yaml"};

TEST_F(ManifestLikeness, OfTheCorpus) {
  size_t judged = 0;
  const std::string folder = SOURCE_FOLDER "/tests/integration/corpus";
  for (const std::string& name : client().world().files.list(folder)) {
    const Judgement theirs = by_kubectl(folder + "/" + name);
    const Judgement ours = by_us(folder + "/" + name);
    ++judged;
    EXPECT_TRUE(ours.refusal.empty() || ours.refusal == "no objects" || ours.place.line > 0)
        << name << " is refused without a place: " << ours.refusal;
    const bool same = theirs.refusal.empty() == ours.refusal.empty();
    EXPECT_EQ(same, !kExplained.contains(name))
        << name << "\nkubectl: " << theirs.refusal << "\nwe: " << ours.refusal;
    if (const auto explained = kExplained.find(name); explained != kExplained.end()) {
      const bool refused = std::string_view(explained->second).starts_with("refused");
      EXPECT_EQ(ours.refusal.empty(), !refused) << name << ": " << ours.refusal;
    }
    if (theirs.refusal.empty() && ours.refusal.empty()) {
      EXPECT_EQ(theirs.objects == ours.objects, !kNullIsEmpty.contains(name))
          << name << "\nkubectl: " << json::serialize(json::value_from(theirs.objects))
          << "\nwe: " << json::serialize(json::value_from(ours.objects));
    }
  }
  EXPECT_GE(judged, 300u);
  RecordProperty("manifests", static_cast<int>(judged));
  RecordProperty("explained", static_cast<int>(kExplained.size()));
}

/// Refusals of the server with the place of the field that they are about.
struct Placed {
  const char* file;
  const char* place;
};

constexpr Placed kPlaced[] = {
    {"field-unknown-top.yaml", "4:1"},
    {"field-unknown-nested.yaml", "13:9"},
    {"field-unknown-two.yaml", "13:9"},
    {"field-unknown-metadata.yaml", "3:21"},
    {"field-wrong-type-list.yaml", "13:9"},
    {"field-wrong-type-label.yaml", "3:30"},
    {"port-missing.yaml", "5:11"},
    {"port-too-large.yaml", "5:12"},
    {"integer-string.yaml", "5:3"},
    {"field-enum.yaml", "13:9"},
    {"field-selector-mismatch.yaml", "8:16"},
    {"field-required.yaml", "4:1"},
};

TEST_F(ManifestLikeness, RefusalsAreNamedByTheFieldsPlace) {
  const std::string folder = SOURCE_FOLDER "/tests/integration/corpus/";
  for (const Placed& row : kPlaced) {
    const Judgement ours = by_us(folder + row.file);
    EXPECT_EQ(ours.place.to_string(), folder + row.file + ":" + row.place) << ours.refusal;
  }
}

}  // namespace
}  // namespace blackstart::test
