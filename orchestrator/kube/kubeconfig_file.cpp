#include "orchestrator/kube/kubeconfig_file.h"

#include <boost/json/value.hpp>

#include "orchestrator/base/error.h"
#include "orchestrator/base/path.h"
#include "orchestrator/base/text.h"
#include "orchestrator/base/yaml.h"

namespace blackstart::kube {

namespace {

using yaml::Node;

constexpr size_t kFileLimit = 4u << 20;
// Of a cluster: what its exec plugins want to know, by the protocol's own rule.
constexpr std::string_view kExecExtension = "client.authentication.k8s.io/exec";

[[noreturn]] void fail(const Place& place, std::string summary, std::string hint = {}) {
  throw Error(ErrorClass::kPermanent, "cannot read kubeconfig: " + summary)
      .at(place)
      .hint(std::move(hint));
}

const Node* given(const Node& map, std::string_view key) {
  const Node* found = map.find(key);
  return found && found->kind != Node::Kind::kNull ? found : nullptr;
}

// "" for null. Other scalars are refused: 12345 and yes are no strings to Kubernetes.
std::string text_of(const Node& node, std::string_view key) {
  if (node.kind == Node::Kind::kNull) return {};
  const bool scalar = node.kind == Node::Kind::kScalar;
  if (scalar && (node.quoted || yaml::scalar_value(node).is_string())) return node.scalar;
  if (scalar && yaml::scalar_value(node).is_null()) return {};
  fail(node.place, std::string(key) + " must be a string", scalar ? "put the value in quotes" : "");
}

Located located(const Node& map, std::string_view key) {
  const Node* found = given(map, key);
  return found ? Located{text_of(*found, key), found->place} : Located{{}, map.place};
}

bool flag(const Node& map, std::string_view key) {
  const Node* found = given(map, key);
  if (!found) return false;
  const boost::json::value value = found->kind == Node::Kind::kScalar && !found->quoted
                                       ? yaml::scalar_value(*found)
                                       : boost::json::value("");
  if (!value.is_bool())
    fail(found->place, std::string(key) + " must be true or false, without quotes");
  return value.as_bool();
}

const Node* map_at(const Node& map, std::string_view key) {
  const Node* found = given(map, key);
  if (found && !found->is_map()) fail(found->place, std::string(key) + " must be a mapping");
  return found;
}

std::vector<Node> list_of(const Node* node, std::string_view key) {
  if (!node || node->kind == Node::Kind::kNull) return {};
  if (!node->is_list()) fail(node->place, std::string(key) + " must be a list");
  return node->items;
}

std::vector<std::string> texts(const Node* node, std::string_view key) {
  std::vector<std::string> result;
  for (const Node& item : list_of(node, key)) result.push_back(text_of(item, key));
  return result;
}

/// Reads the entries of one file.
class Reader {
 public:
  explicit Reader(const std::string& path) : folder_(folder_of(path)) {}

  ClusterEntry cluster(const Node& body) const {
    ClusterEntry made;
    made.place = body.place;
    made.server = located(body, "server");
    made.tls_server_name = located(body, "tls-server-name");
    made.proxy_url = located(body, "proxy-url");
    made.ca = material(body, "certificate-authority");
    made.insecure = flag(body, "insecure-skip-tls-verify");
    made.disable_compression = flag(body, "disable-compression");
    for (const Node& extension : list_of(body.find("extensions"), "extensions")) {
      const Node* content = extension.find("extension");
      if (content && located(extension, "name").text == kExecExtension)
        made.exec_config = yaml::to_json(*content);
    }
    return made;
  }

  UserEntry user(const Node& body) const {
    UserEntry made;
    made.place = body.place;
    made.certificate = material(body, "client-certificate");
    made.key = material(body, "client-key");
    made.token = located(body, "token");
    made.token_file = path(body, "tokenFile");
    made.username = located(body, "username");
    made.password = located(body, "password");
    impersonate(body, made);
    if (const Node* provider = map_at(body, "auth-provider"))
      made.auth_provider = Located{located(*provider, "name").text, provider->place};
    if (const Node* exec = map_at(body, "exec")) made.exec = plugin(*exec);
    return made;
  }

  ContextEntry context(const Node& body) const {
    return {body.place, located(body, "cluster").text, located(body, "user").text};
  }

 private:
  Located path(const Node& map, std::string_view key) const {
    Located made = located(map, key);
    if (!made.text.empty()) made.text = normal_path(absolute_path(folder_, made.text));
    return made;
  }

  Material material(const Node& map, const std::string& key) const {
    Material made{path(map, key), located(map, key + "-data")};
    auto decoded = base64_decode(made.data.text);
    if (!decoded) fail(made.data.place, key + "-data is no base64");
    made.data.text = std::move(*decoded);
    return made;
  }

  static void impersonate(const Node& body, UserEntry& made) {
    made.as.user = located(body, "as").text;
    made.as.uid = located(body, "as-uid").text;
    made.as.groups = texts(body.find("as-groups"), "as-groups");
    made.as_place = made.place;
    for (const char* key : {"as-user-extra", "as-groups", "as-uid", "as"}) {
      if (const Node* found = given(body, key)) made.as_place = found->place;
    }
    const Node* extra = map_at(body, "as-user-extra");
    if (!extra) return;
    for (const auto& [key, values] : extra->entries)
      made.as.extra[yaml::key_name(key)] = texts(&values, "as-user-extra");
  }

  ExecPlugin plugin(const Node& exec) const {
    ExecPlugin made;
    made.place = exec.place;
    made.command = located(exec, "command").text;
    // A bare name is looked for on PATH; anything else is a path as all others here.
    if (made.command.find('/') != std::string::npos) made.command = path(exec, "command").text;
    made.args = texts(exec.find("args"), "args");
    for (const Node& variable : list_of(exec.find("env"), "env")) {
      const std::string name = located(variable, "name").text;
      if (name.empty()) fail(variable.place, "a variable in exec.env has no name");
      made.environment[name] = located(variable, "value").text;
    }
    made.api_version = located(exec, "apiVersion").text;
    made.interactive_mode = located(exec, "interactiveMode").text;
    made.install_hint = located(exec, "installHint").text;
    made.provide_cluster_info = flag(exec, "provideClusterInfo");
    return made;
  }

  std::string folder_;
};

template <class Entry>
std::map<std::string, Entry> entries_of(const Node& file, const char* list, const char* inner,
                                        const Reader& reader,
                                        Entry (Reader::*read)(const Node&) const) {
  std::map<std::string, Entry> made;
  for (const Node& item : list_of(file.find(list), list)) {
    if (!item.is_map()) fail(item.place, std::string("an item of ") + list + " is no mapping");
    const Located name = located(item, "name");
    Node body;
    body.place = item.place;
    if (const Node* found = map_at(item, inner)) body = *found;
    if (!made.emplace(name.text, (reader.*read)(body)).second)
      fail(name.place, std::string(list) + " has two items with the name \"" + name.text + "\"");
  }
  return made;
}

void check_kind(const Node& file) {
  const Located api_version = located(file, "apiVersion");
  const Located kind = located(file, "kind");
  if (!kind.text.empty() && kind.text != "Config")
    fail(kind.place, "its kind is \"" + kind.text + "\", not Config");
  if (!api_version.text.empty() && api_version.text != "v1")
    fail(api_version.place, "its apiVersion is \"" + api_version.text + "\", not v1");
}

}  // namespace

KubeconfigFile read_kubeconfig_file(const Files& files, const std::string& path) {
  Diagnostics diagnostics;
  const std::string text = files.read(path, kFileLimit);
  const auto documents = yaml::parse(text, path, yaml::Limits{.bytes = kFileLimit}, diagnostics);
  if (diagnostics.has_errors()) {
    const Diagnostic first = diagnostics.sorted().front();
    fail(first.place, first.message);
  }
  KubeconfigFile made;
  // What is empty says nothing; of several documents only the first is read.
  if (documents.empty() || documents[0].kind == Node::Kind::kNull) return made;
  const Node& file = documents[0];
  if (!file.is_map()) fail(file.place, "it is no mapping");
  check_kind(file);
  const Reader reader(path);
  made.clusters = entries_of(file, "clusters", "cluster", reader, &Reader::cluster);
  made.users = entries_of(file, "users", "user", reader, &Reader::user);
  made.contexts = entries_of(file, "contexts", "context", reader, &Reader::context);
  made.current_context = located(file, "current-context").text;
  return made;
}

}  // namespace blackstart::kube
