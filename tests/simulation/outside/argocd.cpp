#include "tests/simulation/outside/argocd.h"

#include <boost/json/array.hpp>
#include <filesystem>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/kube/json.h"
#include "orchestrator/kube/readiness.h"
#include "tests/simulation/outside/render.h"

namespace blackstart::sim {

namespace json = boost::json;

namespace {

constexpr const char* kApi = "argoproj.io/v1alpha1";
constexpr const char* kNamespace = "argocd";
constexpr const char* kManager = "argocd-controller";
constexpr const char* kTracking = "argocd.argoproj.io/tracking-id";
constexpr Duration kBoot = std::chrono::milliseconds(200);
constexpr Duration kComparing = std::chrono::milliseconds(300);
constexpr Duration kSyncing = std::chrono::milliseconds(400);
constexpr Duration kAgain = std::chrono::seconds(1);

std::string program_of(const Command& command) {
  const std::string& path = command.argv0.empty() ? command.program : command.argv0;
  return path.substr(path.rfind('/') + 1);
}

std::string argument(const Command& command, const std::string& name) {
  auto at = std::ranges::find(command.args, name);
  return at == command.args.end() || at + 1 == command.args.end() ? "" : *(at + 1);
}

kube::ObjectRef application_ref(const std::string& name) {
  return kube::ObjectRef(kApi, "Application", kNamespace, name);
}

/// Everything that `wanted` names is in `live` with that value.
bool contains(const json::value& live, const json::value& wanted) {
  if (!wanted.is_object()) return kube::same_value(live, wanted);
  if (!live.is_object()) return wanted.get_object().empty();
  for (const auto& [key, value] : wanted.get_object()) {
    const json::value* found = live.get_object().if_contains(key);
    if (!found || !contains(*found, value)) return false;
  }
  return true;
}

std::string health_of(const json::value* live) {
  if (!live) return "Missing";
  std::string kind = kube::text_at(*live, {"kind"});
  if (kind != "Deployment" && kind != "StatefulSet") return "Healthy";
  return kube::readiness_of(*live).ready() ? "Healthy" : "Progressing";
}

json::object& metadata_of(json::value& object) {
  return object.as_object()["metadata"].as_object();
}

}  // namespace

ArgoCd::ArgoCd(SimWorld& world, FindCluster clusters, std::string repository, std::string commit)
    : world_(world),
      clusters_(std::move(clusters)),
      repository_(std::move(repository)),
      commit_(std::move(commit)) {}

const SimDaemon* ArgoCd::running(const std::string& program) const {
  for (const auto& [pid, daemon] : world_.processes().daemons())
    if (program_of(daemon.command) == program) return &daemon;
  return nullptr;
}

ApiStore* ArgoCd::cluster_of(const SimDaemon& daemon) const {
  return clusters_(argument(daemon.command, "--kubeconfig"));
}

bool ArgoCd::serves(int port) const {
  std::string number = std::to_string(port);
  for (const auto& [pid, begun] : started_) {
    auto found = world_.processes().daemons().find(pid);
    if (found == world_.processes().daemons().end()) continue;
    if (world_.clock().now() < begun + kBoot) continue;
    for (const std::string& word : found->second.command.args)
      if (word == number || word.ends_with(":" + number)) {
        // Whom it talks to has the same port among its arguments.
        auto at = std::ranges::find(found->second.command.args, word);
        std::string flag = at == found->second.command.args.begin() ? "" : *(at - 1);
        if (flag != "--redis" && flag != "--repo-server" && flag != "--argocd-repo-server")
          return true;
      }
  }
  return false;
}

void ArgoCd::process_started(const SimDaemon& daemon) {
  std::string program = program_of(daemon.command);
  if (!program.starts_with("argocd-")) return;
  int pid = daemon.identity.pid;
  started_[pid] = world_.clock().now();
  world_.clock().schedule(kBoot, [this, program, pid] {
    if (!alive(pid)) return;
    if (program == "argocd-server") start_server(pid);
    if (program == "argocd-applicationset-controller") start_applicationset_controller(pid);
    if (program == "argocd-application-controller") start_application_controller(pid);
    if (program == "argocd-repo-server") look_at_all();
  });
}

void ArgoCd::die(int pid, const std::string& last_words) {
  auto found = world_.processes().daemons().find(pid);
  if (found == world_.processes().daemons().end()) return;
  world_.files().add(found->second.log_file, last_words + "\n", 0600);
  world_.processes().kill(pid);
}

/// Writes the key that signs its sessions, as soon as there is a Secret for it.
void ArgoCd::start_server(int pid) {
  if (!alive(pid)) return;
  ApiStore* store = cluster_of(world_.processes().daemons().at(pid));
  kube::ObjectRef ref("v1", "Secret", kNamespace, "argocd-secret");
  const json::value* secret = store ? store->find(ref) : nullptr;
  if (!secret) {
    world_.clock().schedule(kAgain, [this, pid] { start_server(pid); });
    return;
  }
  if (kube::find(*secret, {"data", "server.secretkey"})) return;
  json::value patch = json::object{{"data", {{"server.secretkey", base64_encode("generated")}}}};
  store->patch(ref, patch, "argocd-server");
}

void ArgoCd::start_applicationset_controller(int pid) {
  ApiStore* store = cluster_of(world_.processes().daemons().at(pid));
  kube::ObjectRef ref("v1", "Secret", kNamespace, "argocd-secret");
  const json::value* secret = store ? store->find(ref) : nullptr;
  if (!secret || !kube::find(*secret, {"data", "server.secretkey"}))
    die(pid, "level=fatal msg=\"server.secretkey is missing\"");
}

void ArgoCd::start_application_controller(int pid) {
  ApiStore* store = cluster_of(world_.processes().daemons().at(pid));
  if (!store || !store->kind_of(kApi, "Application"))
    return die(pid, "level=fatal msg=\"no matches for kind Application\"");
  syncing_.clear();
  look_at_all();
}

void ArgoCd::watch(ApiServer& server) {
  ApiStore& store = server.store();
  store.on_change.push_back([this](const ApiEvent& event) {
    if (event.collection == "argoproj.io/applications")
      return look_at(kube::text_at(event.object, {"metadata", "name"}));
    if (event.collection == "argoproj.io/appprojects") return look_at_all();
    std::string id = kube::text_at(event.object, {"metadata", "annotations", kTracking});
    if (!id.empty()) look_at(id.substr(0, id.find(':')));
  });
}

void ArgoCd::look_at_all() {
  const SimDaemon* controller = running("argocd-application-controller");
  ApiStore* store = controller ? cluster_of(*controller) : nullptr;
  const ServedKind* kind = store ? store->kind_of(kApi, "Application") : nullptr;
  if (!kind) return;
  for (const json::value& application : store->list(*kind, kNamespace))
    look_at(kube::text_at(application, {"metadata", "name"}));
}

void ArgoCd::look_at(const std::string& application) {
  if (!running("argocd-application-controller") || !due_.insert(application).second) return;
  world_.clock().schedule(kComparing, [this, application] {
    due_.erase(application);
    reconcile(application);
  });
}

/// The condition that keeps an Application from being compared; empty when there is none.
std::string ArgoCd::trouble_with(ApiStore& store, const json::value& application,
                                 std::string* type) {
  *type = "InvalidSpecError";
  std::string project = kube::text_at(application, {"spec", "project"});
  kube::ObjectRef project_ref(kApi, "AppProject", kNamespace, project);
  if (!store.find(project_ref))
    return "Application referencing project " + project + " which does not exist";
  *type = "ComparisonError";
  if (!running("argocd-repo-server") || !running("redis-server"))
    return "rpc error: code = Unavailable desc = connection error: connection refused";
  std::string url = kube::text_at(application, {"spec", "source", "repoURL"});
  if (url != "file://" + repository_)
    return "rpc error: code = Unknown desc = repository not found: " + url;
  std::string path = kube::text_at(application, {"spec", "source", "path"});
  if (world_.files().kind(repository_ + "/" + path) != FileKind::kFolder)
    return path + ": app path does not exist";
  return {};
}

std::vector<json::value> ArgoCd::render(ApiStore& store, const json::value& application) {
  const Files& files = world_.files();
  std::string path = repository_ + "/" + kube::text_at(application, {"spec", "source", "path"});
  std::string name_space = kube::text_at(application, {"spec", "destination", "namespace"});
  std::vector<json::value> objects;
  if (files.kind(path + "/kustomization.yaml") == FileKind::kFile) {
    objects = build_kustomization(files, path);
  } else if (files.kind(path + "/Chart.yaml") == FileKind::kFile) {
    ChartSource chart = read_chart_folder(files, path);
    json::value values = chart.values;
    if (const json::value* list = kube::find(application, {"spec", "source", "helm", "valueFiles"}))
      for (const json::value& file : list->as_array()) {
        std::string joined = path + "/" + std::string(file.as_string());
        joined = std::filesystem::path(joined).lexically_normal().string();
        values = merged_values(std::move(values), read_yaml_file(files, joined));
      }
    objects = read_objects(render_templates(chart, values, name_space), path);
  } else {
    for (const std::string& file : files.list(path))
      for (json::value& object : read_objects(files.read(path + "/" + file, 1 << 20), file))
        objects.push_back(std::move(object));
  }
  std::string name = kube::text_at(application, {"metadata", "name"});
  for (json::value& object : objects) {
    kube::ObjectRef ref = kube::ref_of(object);
    const ServedKind* kind = store.kind_of(ref.api_version, ref.kind);
    json::object& metadata = metadata_of(object);
    if (kind && kind->namespaced && ref.name_space.empty()) metadata["namespace"] = name_space;
    json::value& annotations = metadata["annotations"];
    if (!annotations.is_object()) annotations = json::object();
    ref = kube::ref_of(object);
    annotations.get_object()[kTracking] =
        name + ":" + ref.group() + "/" + ref.kind + ":" + ref.name_space + "/" + ref.name;
  }
  return objects;
}

json::object ArgoCd::compare(ApiStore& store, const json::value& application,
                             const std::vector<json::value>& wanted) {
  bool synced = true;
  std::string health = "Healthy";
  json::array resources;
  for (const json::value& object : wanted) {
    kube::ObjectRef ref = kube::ref_of(object);
    const json::value* live = store.find(ref);
    bool same = live && contains(*live, object);
    synced = synced && same;
    std::string own = health_of(live);
    if (own != "Healthy" && health != "Missing") health = own;
    std::string version = ref.api_version.substr(ref.api_version.find('/') + 1);
    resources.push_back(json::object{{"group", ref.group()},
                                     {"version", version},
                                     {"kind", ref.kind},
                                     {"namespace", ref.name_space},
                                     {"name", ref.name},
                                     {"status", same ? "Synced" : "OutOfSync"}});
  }
  return {{"sync",
           {{"status", synced ? "Synced" : "OutOfSync"},
            {"revision", commit_},
            {"comparedTo",
             {{"source", application.at("spec").at("source")},
              {"destination", application.at("spec").at("destination")}}}}},
          {"health", {{"status", health}}},
          {"resources", std::move(resources)}};
}

void ArgoCd::reconcile(const std::string& name) {
  const SimDaemon* controller = running("argocd-application-controller");
  ApiStore* store = controller ? cluster_of(*controller) : nullptr;
  const json::value* application = store ? store->find(application_ref(name)) : nullptr;
  if (!application) return;
  json::value refresh =
      json::object{{"metadata", {{"annotations", {{"argocd.argoproj.io/refresh", nullptr}}}}}};
  if (kube::find(*application, {"metadata", "annotations", "argocd.argoproj.io/refresh"})) {
    store->patch(application_ref(name), refresh, kManager);
    application = store->find(application_ref(name));
  }
  std::string type;
  std::string trouble = trouble_with(*store, *application, &type);
  json::object status;
  if (!trouble.empty()) {
    status["conditions"] = json::array{json::object{{"type", type}, {"message", trouble}}};
    status["sync"] = json::object{{"status", "Unknown"}};
    status["health"] = json::object{{"status", "Unknown"}};
    store->set_status(application_ref(name), std::move(status));
    world_.clock().schedule(kAgain, [this, name] { look_at(name); });
    return;
  }
  status = compare(*store, *application, render(*store, *application));
  const json::value* operation = kube::find(*application, {"status", "operationState"});
  if (operation) status["operationState"] = *operation;
  bool automated = kube::find(*application, {"spec", "syncPolicy", "automated"}) != nullptr;
  bool differs = kube::text_at(status, {"sync", "status"}) == "OutOfSync";
  if (automated && differs && syncing_.insert(name).second) {
    status["operationState"] = json::object{{"phase", "Running"}};
    world_.clock().schedule(kSyncing, [this, name] {
      if (syncing_.erase(name) > 0) sync(name);
    });
  }
  store->set_status(application_ref(name), std::move(status));
}

void ArgoCd::sync(const std::string& name) {
  const SimDaemon* controller = running("argocd-application-controller");
  ApiStore* store = controller ? cluster_of(*controller) : nullptr;
  const json::value* found = store ? store->find(application_ref(name)) : nullptr;
  if (!found) return;
  json::value application = *found;
  std::string name_space = kube::text_at(application, {"spec", "destination", "namespace"});
  store->apply(
      json::object{
          {"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name_space}}}},
      {kManager, true});
  std::string failure;
  for (const json::value& object : render(*store, application)) {
    ApiAnswer answer = store->apply(object, {kManager, true});
    if (!answer.ok() && failure.empty()) failure = kube::text_at(answer.body, {"message"});
  }
  // Its own Application may have been among the objects.
  const json::value* now = store->find(application_ref(name));
  json::object status = now->at("status").as_object();
  status["operationState"] =
      json::object{{"phase", failure.empty() ? "Succeeded" : "Failed"},
                   {"message", failure.empty() ? "successfully synced" : failure},
                   {"syncResult", {{"revision", commit_}}}};
  store->set_status(application_ref(name), std::move(status));
  look_at(name);
}

}  // namespace blackstart::sim
