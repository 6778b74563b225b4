// The real client stack before a server with faults, all on one loop and on virtual time.
#pragma once

#include <memory>
#include <string>

#include "orchestrator/kube/client.h"
#include "tests/unit/faults/fault_server.h"
#include "tests/unit/kube/bare_parts.h"
#include "tests/unit/kube/scripted_world.h"

namespace blackstart::faults {

/// Certificates of the server, made once: what a client that trusts the test CA makes of them.
struct Certificates {
  test::Certificate ca, good, expired, future, other_name, unknown_ca;
  static const Certificates& get();
};

enum class Verb { kGet, kPatch, kApply, kDelete, kWatch };
constexpr Verb kVerbs[] = {Verb::kGet, Verb::kPatch, Verb::kApply, Verb::kDelete, Verb::kWatch};
const char* to_string(Verb verb);

/// What came of one request of the client, or of a watch that is to see "two" appear.
struct Outcome {
  std::string result;  // "ok", an error's class, or "trouble": a watch that is not let in
  size_t requests = 0;
  size_t connections = 0;
  Duration took{};
  std::string text;  // of the error, or of all that troubled the watch
  std::string hint;
};

class FaultWorld {
 public:
  FaultWorld();
  ~FaultWorld();

  kube::VirtualLoop loop;
  kube::MapEnvironment environment;
  FaultServer server;
  bool lasts = false;             // the fault does not pass: a watch is followed to its trouble
  bool on_new_connection = true;  // false: the request goes over a connection that was used before
  size_t at_once = 1;             // requests of that kind, but for watches
  bool first_contact = false;     // nothing was asked before, so that discovery meets it too
  std::vector<std::shared_ptr<void>> keeps;  // what a fault needs as long as the world lasts

  /// The host in the endpoint's URL; 127.0.0.1 if it is not called.
  void name_server(const std::string& host);
  /// Discovers (unless this is the first contact), calls `begin_fault`, then makes one request of
  /// that kind and follows it to its end.
  Outcome run(Verb verb, const std::function<void(FaultWorld&)>& begin_fault);

 private:
  Task<void> ask(Verb verb);
  Task<void> ask_all(Verb verb);
  Task<void> watch(std::string& troubles);
  kube::Client& client();
  void begin(const std::function<void(FaultWorld&)>& begin_fault);

  std::function<void()> begin_;
  Instant began_{};
  kube::HalfRandom random_;
  kube::NoProcesses processes_;
  kube::MemoryFiles files_;
  kube::Inline blocking_;
  std::unique_ptr<Http> http_;
  World world_;
  kube::Endpoint endpoint_;
  std::unique_ptr<kube::Client> client_;
};

}  // namespace blackstart::faults
