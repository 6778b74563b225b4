#include "orchestrator/world/failpoint_world.h"

#ifdef BLACKSTART_FAILPOINTS

#include "orchestrator/world/failpoint.h"

namespace blackstart::failpoints {
namespace {

std::string name_of(const Command& command) {
  const std::string& path = command.argv0.empty() ? command.program : command.argv0;
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Task<Exit> FailpointProcesses::run(Command command) {
  std::string name = name_of(command);
  co_await hit("process.run.before:" + name);
  Exit exit = co_await inner_.run(std::move(command));
  co_await hit("process.run.after:" + name);
  co_return exit;
}

Task<Daemon> FailpointProcesses::start_daemon(Command command, std::string log_file) {
  std::string name = name_of(command);
  co_await hit("process.daemon.before:" + name);
  Daemon daemon = co_await inner_.start_daemon(std::move(command), std::move(log_file));
  co_await hit("process.daemon.after:" + name);
  co_return daemon;
}

Task<HttpResponse> FailpointHttp::send(HttpRequest request) {
  if (request.method == "GET" || request.method == "HEAD")
    co_return co_await inner_.send(std::move(request));
  std::string method = request.method;
  co_await hit("http.write.before:" + method);
  HttpResponse response = co_await inner_.send(std::move(request));
  co_await hit("http.write.after:" + method);
  co_return response;
}

}  // namespace blackstart::failpoints

#endif
