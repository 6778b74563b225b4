#include "stages/argocd/host_health.h"

#include "orchestrator/base/error.h"

namespace blackstart::stages::argocd {
namespace {

constexpr Duration kHealthTimeout = std::chrono::seconds(2);

HttpRequest local_request(int port, const std::string& path) {
  HttpRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(port) + path;
  request.connect_timeout = request.total_timeout = request.idle_timeout = kHealthTimeout;
  return request;
}

}  // namespace

Task<bool> is_port_taken(World& world, int port) {
  try {
    co_await world.http.send(local_request(port, "/"));
  } catch (const Error& error) {
    co_return error.error_class() != ErrorClass::kUnreachable;
  }
  co_return true;
}

/// The applicationset-controller serves its probe port but registers no check there: 404 is its
/// "well".
Task<void> ask_health(World& world, int port, bool& healthy) {
  try {
    healthy = (co_await world.http.send(local_request(port, "/healthz"))).status < 500;
  } catch (const Error& error) {
    if (error.error_class() == ErrorClass::kCancelled) throw;
    healthy = false;
  }
}

}  // namespace blackstart::stages::argocd
