// A world of its own for kube tests: virtual time and an API server that is a function.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/kube/client.h"
#include "orchestrator/world/async.h"
#include "orchestrator/world/world.h"
#include "tests/unit/kube/virtual_loop.h"

namespace blackstart::kube {

/// Answers each request by a function that may throw, wait or stream.
class ScriptedHttp final : public Http {
 public:
  using Handler = std::function<Task<HttpResponse>(HttpRequest)>;
  Task<HttpResponse> send(HttpRequest request) override;

  Handler handler;
  std::vector<HttpRequest> requests;  // all that was asked, in order
  size_t count(const std::string& part_of_url) const;
};

/// What lies below /tools can be run.
class MemoryFiles final : public Files {
 public:
  std::map<std::string, std::string> content;
  FileKind kind(const std::string& path) const override;
  std::string read(const std::string& path, size_t limit_bytes) const override;
  void write(const std::string& path, std::string_view text, int mode) override;
  void make_folders(const std::string&, int) override {}
  void rename(const std::string& from, const std::string& to) override;
  void remove_all(const std::string& path) override;
  std::vector<std::string> list(const std::string& path) const override;
  bool executable(const std::string& path) const override { return path.starts_with("/tools/"); }
  std::unique_ptr<FileLock> try_lock(const std::string&) override;
};

/// Everything together. run() drives a task to its end, on virtual time.
class ScriptedWorld {
 public:
  ScriptedWorld();
  ~ScriptedWorld();
  World& world();
  Client& client();
  void run(Task<void> task);
  template <class T>
  T result(Task<T> task) {
    std::optional<T> slot;
    auto store = [](Task<T> inner, std::optional<T>& out) -> Task<void> {
      out = co_await std::move(inner);
    };
    run(store(std::move(task), slot));
    return std::move(*slot);
  }
  Duration elapsed() const;  // virtual time since the beginning

  /// The next answers to requests whose URL contains `part` (or is it, when it starts with https),
  /// one after the other; the last one stays.
  void answer(const std::string& part, std::vector<HttpResponse> responses);
  /// Discovery that knows ConfigMap, Secret, Namespace, Pod, Service, Event, Deployment,
  /// ReplicaSet, Job, CustomResourceDefinition; and what else is given as {api version, kind,
  /// plural}.
  void serve_discovery(std::vector<Resource> more = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;

 public:
  ScriptedHttp& http;
  MemoryFiles& files;
};

HttpResponse json_response(int status, std::string body,
                           std::map<std::string, std::string> headers = {});
/// A Status object as the API server sends it.
HttpResponse status_response(int code, const std::string& reason, const std::string& message,
                             std::map<std::string, std::string> headers = {});

}  // namespace blackstart::kube
