// An API server in memory: objects by path, server-side apply as a deep merge, watches.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/world/async.h"
#include "orchestrator/world/http.h"

namespace blackstart::stages {

class ApiDouble {
 public:
  explicit ApiDouble(Executor executor) : executor_(executor) {}

  /// True for a path below /api/v1 or /apis/GROUP/VERSION, /readyz or /version.
  static bool serves(const std::string& url);
  Task<HttpResponse> send(HttpRequest request);

  /// The object at "/api/v1/namespaces/a/secrets/b"; null when there is none.
  boost::json::value* find(const std::string& path);
  /// Whoever notes no managers is `manager`, and writes all of it now.
  void put(const std::string& path, boost::json::value object);
  void erase(const std::string& path);
  /// Server-side apply by somebody.
  void apply(const std::string& path, const boost::json::value& wanted, const std::string& by);

  bool ready = true;
  std::string manager = "blackstart";  // who is noted as the manager of what put() stores
  std::function<void(boost::json::object&)> on_apply;  // a controller: fills in status
  std::vector<std::string> writes;                     // "PATCH /api/v1/…", dry runs left out

 private:
  struct Stored {
    boost::json::value object;
    uint64_t version = 0;
  };
  HttpResponse answer_patch(const std::string& path, const HttpRequest& request, bool dry_run);
  boost::json::value merged(const std::string& path, const boost::json::value& wanted);
  void store(const std::string& path, boost::json::value object, const std::string& time);
  std::string next_second();
  HttpResponse remove(const std::string& path, const HttpRequest& request);
  HttpResponse list(const std::string& collection, const std::string& query) const;
  Task<HttpResponse> watch(std::string collection, HttpRequest request);
  static bool belongs(const std::string& path, const std::string& collection);

  std::map<std::string, Stored> objects_;
  uint64_t version_ = 100;
  int uids_ = 0;
  int writes_ = 0;  // of anybody: each is a second after the one before
  void wake();
  Executor executor_;
  std::set<Event*> watching_;  // one for each open watch
};

}  // namespace blackstart::stages
