#include "tests/simulation/outside/helm.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/world/failpoint.h"
#include "stages/helm/release_record.h"
#include "tests/simulation/outside/render.h"
#include "tests/support/gzip.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr Duration kStart = std::chrono::milliseconds(60);
constexpr Duration kStep = std::chrono::milliseconds(20);
constexpr const char* kVersion = "v3.21.4";

struct Failure {
  std::string text;
};

/// The command line, by name.
struct Arguments {
  std::vector<std::string> words;  // what is no flag
  std::map<std::string, std::vector<std::string>> flags;

  explicit Arguments(const std::vector<std::string>& args) {
    static const std::set<std::string> kValued = {"--namespace", "--kubeconfig", "--kube-context",
                                                  "--values",    "--timeout",    "--description",
                                                  "--repo",      "--version"};
    for (size_t i = 0; i < args.size(); ++i) {
      if (!args[i].starts_with("--")) {
        words.push_back(args[i]);
      } else if (kValued.contains(args[i]) && i + 1 < args.size()) {
        flags[args[i]].push_back(args[i + 1]);
        ++i;
      } else {
        flags[args[i].substr(0, args[i].find('='))].emplace_back();
      }
    }
  }
  bool has(const std::string& flag) const { return flags.contains(flag); }
  std::string get(const std::string& flag) const { return has(flag) ? flags.at(flag)[0] : ""; }
};

json::array encoded(const std::map<std::string, std::string>& files) {
  json::array list;
  for (const auto& [name, text] : files)
    list.push_back(json::object{{"name", name}, {"data", base64_encode(text)}});
  return list;
}

struct Record {
  int64_t revision = 0;
  std::string status;
};

/// What one revision of a release was made from and came to.
struct Content {
  ChartSource chart;
  json::value config;
  std::string manifest;
};

/// One helm at work on one release.
class Helm {
 public:
  Helm(SimWorld& world, ApiStore& store, Arguments arguments)
      : world_(world), store_(store), arguments_(std::move(arguments)) {
    release_ = arguments_.words.at(1);
    name_space_ = arguments_.get("--namespace");
  }

  Task<void> upgrade() {
    Content content = read_chart();
    std::vector<Record> records = all_records();
    Record newest = records.empty() ? Record{} : records.back();
    if (newest.status.starts_with("pending-"))
      throw Failure{
          "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress"};
    bool install = records.empty() || newest.status == "uninstalled";
    if (install ? !arguments_.has("--install") : !has_base(records))
      throw Failure{"Error: UPGRADE FAILED: \"" + release_ + "\" has no deployed releases"};
    std::vector<json::value> objects = read_objects(content.manifest, "manifest");
    check_kinds(objects);
    if (install) check_ownership(objects);
    int64_t revision = newest.revision + 1;
    write_record(content, revision, install ? "pending-install" : "pending-upgrade", "in progress");
    co_await step("outside.helm.recorded");
    co_await write_objects(std::move(objects));
    for (const Record& old : records)
      if (old.status == "deployed") set_status(old.revision, "superseded");
    co_await step("outside.helm.superseded");
    write_record(content, revision, "deployed", arguments_.get("--description"));
  }

  Task<void> uninstall() {
    std::vector<Record> records = all_records();
    if (records.empty()) co_return;  // --ignore-not-found
    set_status(records.back().revision, "uninstalling");
    co_await step("outside.helm.uninstalling");
    std::string manifest = content_of(records.back().revision).manifest;
    for (const json::value& object : read_objects(manifest, "manifest")) {
      store_.remove(ref_in_namespace(object));
      co_await step("outside.helm.removed");
    }
    for (const Record& record : records) store_.remove(ref_of(record.revision));
  }

 private:
  /// Is there a revision that an upgrade can go on from?
  static bool has_base(const std::vector<Record>& records) {
    const std::string& newest = records.back().status;
    return newest == "failed" || newest == "superseded" ||
           std::ranges::count(records, "deployed", &Record::status) > 0;
  }

  Task<void> step(const char* name) {
    co_await world_.clock().sleep_until(world_.clock().now() + kStep);
#ifdef BLACKSTART_FAILPOINTS
    co_await failpoints::hit(name);
#else
    (void)name;
#endif
  }

  Content read_chart() const {
    Content content;
    std::string folder = arguments_.words.at(2);
    if (world_.files().kind(folder + "/Chart.yaml") != FileKind::kFile)
      throw Failure{"Error: Chart.yaml file is missing"};
    content.chart = read_chart_folder(world_.files(), folder);
    content.config = json::object();
    if (arguments_.has("--values"))
      for (const std::string& file : arguments_.flags.at("--values")) {
        if (world_.files().kind(file) != FileKind::kFile)
          throw Failure{"Error: open " + file + ": no such file or directory"};
        content.config =
            merged_values(std::move(content.config), read_yaml_file(world_.files(), file));
      }
    json::value values = merged_values(content.chart.values, content.config);
    content.manifest = render_templates(content.chart, values, name_space_);
    return content;
  }

  Content content_of(int64_t revision) const {
    auto release = stages::helm::decode_release(*store_.find(ref_of(revision)));
    ChartSource chart{release.chart, release.version, release.chart_values, release.files, {}};
    return {std::move(chart), release.config, release.manifest};
  }

  void check_kinds(const std::vector<json::value>& objects) const {
    for (const json::value& object : objects) {
      kube::ObjectRef ref = kube::ref_of(object);
      if (!store_.kind_of(ref.api_version, ref.kind))
        throw Failure{
            "Error: unable to build kubernetes objects from release manifest: resource "
            "mapping not found for name: \"" +
            ref.name + "\": no matches for kind \"" + ref.kind + "\" in version \"" +
            ref.api_version + "\""};
    }
  }

  void check_ownership(const std::vector<json::value>& objects) const {
    for (const json::value& object : objects) {
      const json::value* live = store_.find(ref_in_namespace(object));
      if (!live) continue;
      bool ours = kube::text_at(*live, {"metadata", "annotations", "meta.helm.sh/release-name"}) ==
                  release_;
      if (!ours)
        throw Failure{
            "Error: Unable to continue with install: " + kube::ref_of(object).to_string() +
            " exists and cannot be imported into the current release: invalid ownership "
            "metadata"};
    }
  }

  kube::ObjectRef ref_in_namespace(const json::value& object) const {
    kube::ObjectRef ref = kube::ref_of(object);
    const ServedKind* kind = store_.kind_of(ref.api_version, ref.kind);
    if (kind && kind->namespaced && ref.name_space.empty()) ref.name_space = name_space_;
    return ref;
  }

  Task<void> write_objects(std::vector<json::value> objects) {
    for (json::value& object : objects) {
      kube::ObjectRef ref = ref_in_namespace(object);
      json::object& metadata = object.as_object()["metadata"].as_object();
      if (!ref.name_space.empty()) metadata["namespace"] = ref.name_space;
      json::value& labels = metadata["labels"];
      if (!labels.is_object()) labels = json::object();
      labels.get_object()["app.kubernetes.io/managed-by"] = "Helm";
      json::value& annotations = metadata["annotations"];
      if (!annotations.is_object()) annotations = json::object();
      annotations.get_object()["meta.helm.sh/release-name"] = release_;
      annotations.get_object()["meta.helm.sh/release-namespace"] = name_space_;
      apply(object);
      co_await step("outside.helm.object");
    }
  }

  void apply(const json::value& object) {
    // helm 3 writes its three-way merge without asking who owns a field.
    ApiAnswer answer = store_.apply(object, {"helm", true});
    if (!answer.ok())
      throw Failure{"Error: create: failed to create: " + kube::text_at(answer.body, {"message"})};
  }

  std::string secret_name(int64_t revision) const {
    return "sh.helm.release.v1." + release_ + ".v" + std::to_string(revision);
  }

  kube::ObjectRef ref_of(int64_t revision) const {
    return {"v1", "Secret", name_space_, secret_name(revision)};
  }

  std::vector<Record> all_records() const {
    std::vector<Record> records;
    for (const json::value& secret : store_.list(*store_.kind_of("v1", "Secret"), name_space_)) {
      if (kube::text_at(secret, {"metadata", "labels", "owner"}) != "helm" ||
          kube::text_at(secret, {"metadata", "labels", "name"}) != release_)
        continue;
      records.push_back({std::stoll(kube::text_at(secret, {"metadata", "labels", "version"})),
                         kube::text_at(secret, {"metadata", "labels", "status"})});
    }
    std::ranges::sort(records, {}, &Record::revision);
    return records;
  }

  std::string now_in_seconds() const {
    auto since = world_.clock().wall_time().time_since_epoch();
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since).count());
  }

  json::object labels(int64_t revision, const std::string& status) const {
    return {{"owner", "helm"},
            {"name", release_},
            {"status", status},
            {"version", std::to_string(revision)},
            {"modifiedAt", now_in_seconds()}};
  }

  void write_record(const Content& content, int64_t revision, const std::string& status,
                    const std::string& description) {
    const ChartSource& source = content.chart;
    json::object chart{{"metadata", {{"name", source.name}, {"version", source.version}}},
                       {"templates", encoded(source.templates)},
                       {"values", source.values},
                       {"files", encoded(source.files)}};
    json::object body{{"name", release_},
                      {"namespace", name_space_},
                      {"version", revision},
                      {"info", {{"status", status}, {"description", description}}},
                      {"chart", std::move(chart)},
                      {"config", content.config},
                      {"manifest", content.manifest}};
    std::string text = base64_encode(base64_encode(test::gzip(json::serialize(body))));
    apply(json::object{{"apiVersion", "v1"},
                       {"kind", "Secret"},
                       {"type", "helm.sh/release.v1"},
                       {"metadata",
                        {{"name", secret_name(revision)},
                         {"namespace", name_space_},
                         {"labels", labels(revision, status)}}},
                       {"data", {{"release", text}}}});
  }

  void set_status(int64_t revision, const std::string& status) {
    write_record(content_of(revision), revision, status, "");
  }

  SimWorld& world_;
  ApiStore& store_;
  Arguments arguments_;
  std::string release_;
  std::string name_space_;
};

Task<std::optional<std::string>> change(SimWorld& world, ApiStore& store, Arguments arguments) {
  bool away = arguments.words[0] == "uninstall";
  Helm helm(world, store, std::move(arguments));
  std::optional<std::string> failure;
  try {
    if (away)
      co_await helm.uninstall();
    else
      co_await helm.upgrade();
  } catch (const Failure& refused) {
    failure = refused.text;
  }
  co_return failure;
}

Exit failed(const std::string& text) { return {.code = 1, .err = text + "\n"}; }

Exit render(SimWorld& world, const Arguments& arguments) {
  ChartSource chart = read_chart_folder(world.files(), arguments.words.at(2));
  std::string text;
  for (const auto& [name, content] : chart.files)
    if (arguments.has("--include-crds") && name.starts_with("crds/")) text += "---\n" + content;
  text += render_templates(chart, chart.values, arguments.get("--namespace"));
  return {.out = text};
}

}  // namespace

Task<Exit> run_simulated_helm(SimWorld& world, FindCluster clusters, Command command) {
  Arguments arguments(command.args);
  const std::string verb = arguments.words.empty() ? "" : arguments.words[0];
  co_await world.clock().sleep_until(world.clock().now() + kStart);
  if (verb == "version") {
    Exit version;
    version.out = kVersion;
    co_return version;
  }
  if (verb == "template") {
    Exit rendered = render(world, arguments);
    co_return rendered;
  }
  if (verb != "upgrade" && verb != "uninstall") {
    Exit unknown = failed("Error: helm " + verb + " is not simulated");
    co_return unknown;
  }
  ApiStore* store = clusters(arguments.get("--kubeconfig"));
  if (!store) {
    Exit unreachable = failed("Error: Kubernetes cluster unreachable: connection refused");
    co_return unreachable;
  }
  std::optional<std::string> failure = co_await change(world, *store, std::move(arguments));
  Exit exit;
  if (failure) exit = failed(*failure);
  co_return exit;
}

}  // namespace blackstart::sim
