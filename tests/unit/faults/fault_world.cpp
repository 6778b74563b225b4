#include "tests/unit/faults/fault_world.h"

#include <boost/json/object.hpp>

#include "orchestrator/kube/watch.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::faults {

using kube::Informer;
using std::chrono::seconds;

namespace {

const kube::ObjectRef kRef("v1", "ConfigMap", "a", "b");
constexpr Duration kLongestWatch = std::chrono::minutes(10);

boost::json::value object() {
  return boost::json::object{{"apiVersion", "v1"},
                             {"kind", "ConfigMap"},
                             {"metadata", {{"name", "b"}, {"namespace", "a"}}}};
}

void note(Outcome& outcome, const Error& error) {
  outcome.result = to_string(error.error_class());
  outcome.text = error.full_text();
  outcome.hint = error.hint();
}

Task<void> discover(kube::Client& client) {
  try {
    co_await client.kinds();
  } catch (const Error& error) {
    throw std::logic_error("no discovery: " + error.full_text());
  }
}

// Until the informer knows "two", or is in a trouble that lasts.
Task<void> follow(Informer& informer, bool lasts, std::string& troubles) {
  std::string last;
  while (!informer.find("a", "two")) {
    if (informer.trouble() != last && !informer.trouble().empty())
      troubles += informer.trouble() + "\n";
    last = informer.trouble();
    if (lasts && !last.empty()) throw Error(ErrorClass::kVerification, "trouble");
    co_await informer.changed();
  }
}

}  // namespace

const char* to_string(Verb verb) {
  constexpr const char* kNames[] = {"GET", "PATCH", "apply", "DELETE", "WATCH"};
  return kNames[static_cast<int>(verb)];
}

const Certificates& Certificates::get() {
  static const Certificates all = [] {
    const std::string names = "DNS:localhost,DNS:api.test,IP:127.0.0.1";
    Certificates made;
    made.ca = test::make_ca("test CA");
    made.good = test::make_leaf(made.ca, {.names = names});
    made.expired = test::make_leaf(made.ca, {.names = names, .not_after = seconds(-60)});
    made.future = test::make_leaf(made.ca, {.names = names, .not_before = seconds(1800)});
    made.other_name = test::make_leaf(made.ca, {.names = "DNS:other.example"});
    made.unknown_ca = test::make_leaf(test::make_ca("another CA"), {.names = names});
    return made;
  }();
  return all;
}

FaultWorld::FaultWorld()
    : server(loop, Certificates::get().good),
      http_(real::make_http(loop.context, loop.clock, environment)),
      world_{loop.clock, random_,     processes_, *http_,
             files_,     environment, blocking_,  loop.context.get_executor()} {
  // The kernel hands on what was sent in far less; curl's own short steps take a millisecond.
  loop.quiet = std::chrono::milliseconds(5);
  TlsIdentity identity;
  identity.ca = Certificates::get().ca.certificate;
  endpoint_.tls = std::make_shared<TlsIdentity>(identity);
  name_server("127.0.0.1");
}

FaultWorld::~FaultWorld() = default;

void FaultWorld::name_server(const std::string& host) {
  endpoint_.server = "https://" + host + ":" + std::to_string(server.port());
}

kube::Client& FaultWorld::client() {
  if (!client_) client_ = std::make_unique<kube::Client>(world_, endpoint_);
  return *client_;
}

Task<void> FaultWorld::ask(Verb verb) {
  switch (verb) {
    case Verb::kGet: co_await client().get(kRef); break;
    case Verb::kApply: co_await client().apply(object(), kube::Client::ApplyOptions()); break;
    case Verb::kDelete: co_await client().remove(kRef); break;
    default: co_await client().merge_patch(kRef, object()); break;
  }
}

Task<void> FaultWorld::ask_all(Verb verb) {
  const std::vector<std::function<Task<void>()>> tasks(at_once, [this, verb] { return ask(verb); });
  co_await run_all(world_.executor, tasks, at_once);
}

Task<void> FaultWorld::watch(std::string& troubles) {
  Informer informer(client(), kube::Selection("v1", "ConfigMap", "a"));
  co_await informer.start();
  if (!first_contact) begin_();
  std::exception_ptr failure;
  try {
    co_await within(loop.clock, loop.clock.now() + kLongestWatch, "two was never seen",
                    follow(informer, lasts, troubles));
  } catch (...) {
    failure = std::current_exception();
  }
  co_await informer.stop();
  if (failure) std::rethrow_exception(failure);
}

// What went before does not count: discovery, and the list of a watch.
void FaultWorld::begin(const std::function<void(FaultWorld&)>& begin_fault) {
  begin_fault(*this);
  if (on_new_connection) server.drop_all();
  server.add_two();
  server.requests = server.connections = 0;
  began_ = loop.clock.now();
}

Outcome FaultWorld::run(Verb verb, const std::function<void(FaultWorld&)>& begin_fault) {
  server.watches_only = verb == Verb::kWatch;
  begin_ = [&] { begin(begin_fault); };
  if (first_contact) begin_();
  if (!first_contact) loop.run(discover(client()));
  Outcome outcome;
  outcome.result = "ok";
  try {
    if (verb == Verb::kWatch) {
      loop.run(watch(outcome.text));
    } else {
      if (!first_contact) begin_();
      loop.run(ask_all(verb));
    }
  } catch (const Error& error) {
    const std::string troubles = outcome.text;
    note(outcome, error);
    if (error.error_class() == ErrorClass::kVerification) {
      outcome.result = "trouble";
      outcome.text = troubles;
    }
  }
  outcome.requests = server.requests;
  outcome.connections = server.connections;
  outcome.took = std::chrono::duration_cast<Duration>(loop.clock.now() - began_);
  return outcome;
}

}  // namespace blackstart::faults
