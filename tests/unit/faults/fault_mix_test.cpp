// Thousands of random mixes of faults, all from one seed: nothing hangs, nothing is done twice that
// must not be, and no success is told that was none.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <random>

#include "orchestrator/kube/watch.h"
#include "tests/unit/faults/good_api.h"
#include "tests/unit/kube/scripted_world.h"

namespace blackstart::faults {
namespace {

using kube::Client;
using kube::Informer;
using kube::json_response;
using kube::ScriptedWorld;
using kube::status_response;
using std::chrono::seconds;

constexpr unsigned kSeed = 20261121;
constexpr int kRequests = 8000;
constexpr int kWatches = 2000;
constexpr Duration kNoHang = std::chrono::minutes(15);  // of virtual time, for one request

class Chance {
 public:
  size_t below(size_t limit) {
    return std::uniform_int_distribution<size_t>(0, limit - 1)(engine_);
  }
  bool one_in(size_t count) { return below(count) == 0; }

 private:
  std::mt19937 engine_{kSeed};
};

// --- requests ---

/// What a server does to one request, and what the client can make of it.
struct Trouble {
  const char* name;
  HttpResponse answer;  // status 0: `error` is thrown instead
  std::optional<Error> error;
  bool done;     // the server did what was asked all the same
  bool refused;  // and the client can know that nothing was done
  Duration after = {};
};

std::vector<Trouble> troubles() {
  const auto lost = [](const char* why) { return Error(ErrorClass::kTransient, why); };
  const auto no = [](int code, const char* reason, const char* message = "no",
                     std::map<std::string, std::string> headers = {}) {
    return status_response(code, reason, message, std::move(headers));
  };
  return {
      {"reset before", {}, lost("reset"), false, false},
      {"reset after", {}, lost("reset"), true, false},
      {"silence", {}, lost("the server fell silent"), true, false, seconds(65)},
      {"refused", {}, Error(ErrorClass::kUnreachable, "refused"), false, true},
      {"unknown CA", {}, Error(ErrorClass::kAuthentication, "not trusted"), false, true},
      {"cut", json_response(200, R"({"kind":"Conf)"), {}, true, false},
      {"page", json_response(200, "<html>"), {}, true, false},
      {"bytes", json_response(200, "{\"a\":\"\xff\"}"), {}, true, false},
      {"429", no(429, "TooManyRequests"), {}, false, true},
      {"429 later", no(429, "TooManyRequests", "no", {{"retry-after", "7"}}), {}, false, true},
      {"503 later", no(503, "Unavailable", "no", {{"retry-after", "2"}}), {}, false, true},
      {"503", no(503, "Unavailable"), {}, false, false},
      {"500", no(500, "InternalError"), {}, true, false},
      {"502", no(502, ""), {}, true, false},
      {"504", no(504, "Timeout"), {}, true, false},
      {"409", no(409, "Conflict", "the object has been modified"), {}, false, false},
      {"401", no(401, "Unauthorized"), {}, false, true},
      {"403", no(403, "Forbidden", "User \"u\" cannot do it"), {}, false, true},
      {"422", no(422, "Invalid"), {}, false, true},
  };
}

/// Draws a fault or none for each request.
struct UnsteadyServer {
  explicit UnsteadyServer(Chance& chance_) : chance(chance_) {}
  Chance& chance;
  std::vector<Trouble> all = troubles();
  std::vector<const Trouble*> drawn;  // null = answered well
  size_t maybe_done = 0;              // times that the thing was done, or that nobody can tell
  int serial = 0;

  Task<HttpResponse> reply(Clock& clock) {
    drawn.push_back(chance.one_in(3) ? nullptr : &all[chance.below(all.size())]);
    const Trouble* trouble = drawn.back();
    maybe_done += !trouble || !trouble->refused;
    if (!trouble)
      co_return json_response(200,
                              R"({"kind":"ConfigMap","serial":)" + std::to_string(++serial) + "}");
    co_await clock.sleep_until(clock.now() + trouble->after);
    if (trouble->error) throw *trouble->error;
    co_return trouble->answer;
  }
};

enum class Verb { kGet, kApply, kDelete, kPatch };

/// The serial number that the server gave with its answer; 0 for what answers without an object.
Task<int> ask(Client& client, Verb verb) {
  const kube::ObjectRef ref("v1", "ConfigMap", "a", "b");
  boost::json::value object = boost::json::parse(config_map("b", ""));
  std::optional<boost::json::value> answer;
  if (verb == Verb::kGet) answer = co_await client.get(ref);
  if (verb == Verb::kApply) answer = co_await client.apply(object, Client::ApplyOptions());
  if (verb == Verb::kPatch) answer = co_await client.merge_patch(ref, object);
  if (verb == Verb::kDelete) co_await client.remove(ref);
  co_return answer ? answer->as_object().at("serial").to_number<int>() : 0;
}

std::string history(const UnsteadyServer& server) {
  std::string text;
  for (const Trouble* one : server.drawn) text += std::string(one ? one->name : "good") + ", ";
  return text;
}

// True when it succeeded.
bool check_one(ScriptedWorld& scripted, UnsteadyServer& server, Verb verb) {
  server.drawn.clear();
  server.maybe_done = 0;
  const Duration before = scripted.elapsed();
  bool ok = false;
  try {
    const int serial = scripted.result(ask(scripted.client(), verb));
    ok = true;
    // An answer to DELETE is not read: that it came is enough.
    const Trouble* last = server.drawn.back();
    const bool good = !last || (verb == Verb::kDelete && last->answer.status == 200);
    EXPECT_TRUE(good) << "a success that was none: " << history(server);
    if (verb != Verb::kDelete) {
      EXPECT_EQ(serial, server.serial) << history(server);
    }
  } catch (const Error& error) {
    EXPECT_NE(server.drawn.back(), nullptr) << error.full_text() << history(server);
  }
  if (verb == Verb::kPatch) {
    EXPECT_LE(server.maybe_done, 1u) << history(server);
  }
  EXPECT_LE(server.drawn.size(), 10u) << history(server);
  EXPECT_LE(scripted.elapsed() - before, kNoHang) << history(server);
  return ok;
}

TEST(FaultMix, RequestsEndAndTellWhatIsSo) {
  Chance chance;
  ScriptedWorld scripted;
  scripted.serve_discovery();
  UnsteadyServer server(chance);
  auto discovery = scripted.http.handler;
  scripted.http.handler = [&](HttpRequest request) {
    const bool object = request.url.find("/configmaps") != std::string::npos;
    scripted.http.requests.clear();
    return object ? server.reply(scripted.world().clock) : discovery(std::move(request));
  };
  int succeeded = 0;
  for (int i = 0; i < kRequests && !testing::Test::HasFailure(); ++i)
    succeeded += check_one(scripted, server, static_cast<Verb>(i % 4));
  EXPECT_GT(succeeded, kRequests / 4);
  EXPECT_LT(succeeded, kRequests);
}

// --- watches ---

constexpr size_t kEvents = 12;
constexpr Duration kBetween = seconds(3);

/// A collection that changes every few seconds, under versions that mean nothing to anybody else.
class ChangingServer {
 public:
  ChangingServer(ScriptedWorld& scripted, Chance& chance)
      : scripted_(scripted), chance_(chance), began_(clock().now()) {
    states_.emplace_back();
    for (size_t i = 0; i < kEvents; ++i) {
      const std::string name(1, static_cast<char>('a' + chance.below(4)));
      const bool gone = states_.back().contains(name) && chance.one_in(3);
      states_.push_back(states_.back());
      types_.push_back(gone ? "DELETED" : states_.back().contains(name) ? "MODIFIED" : "ADDED");
      objects_.push_back(config_map(name, version(i + 1)));
      states_.back()[name] = version(i + 1);
      if (gone) states_.back().erase(name);
    }
  }

  const std::map<std::string, std::string>& final_state() const { return states_.back(); }
  Instant ends_at() const { return began_ + kEvents * kBetween; }

  Task<HttpResponse> reply(HttpRequest request) {
    if (request.url.find("watch=true") != std::string::npos) return watch(std::move(request));
    return list();
  }

 private:
  Clock& clock() { return scripted_.world().clock; }
  // Neither numbers nor in any order.
  static std::string version(size_t index) {
    return sha256_hex("v" + std::to_string(index)).substr(0, 8);
  }
  size_t happened() {
    return std::min<size_t>(kEvents, static_cast<size_t>((clock().now() - began_) / kBetween));
  }
  bool healed() { return clock().now() >= ends_at(); }

  Task<HttpResponse> list() {
    const bool bad = !healed() && chance_.one_in(4);
    if (bad && chance_.one_in(2)) throw Error(ErrorClass::kTransient, "reset");
    if (bad) co_return status_response(503, "Unavailable", "no", {{"retry-after", "1"}});
    const size_t now = happened();
    std::string items;
    for (const auto& [name, at] : states_[now])
      items += (items.empty() ? "" : ",") + config_map(name, at);
    co_return json_response(
        200, R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":")" +
                 version(now) + R"("},"items":[)" + items + "]}");
  }

  Task<HttpResponse> watch(HttpRequest request) {
    size_t next = 0;
    while (request.url.find("resourceVersion=" + version(next)) == std::string::npos) ++next;
    if (!healed() && chance_.one_in(6)) co_return status_response(410, "Expired", "too old");
    if (!healed() && chance_.one_in(6))
      co_return status_response(429, "TooManyRequests", "no", {{"retry-after", "2"}});
    for (size_t left = healed() ? kEvents + 1 : chance_.below(4); left > 0; --left) {
      if (next == kEvents) break;
      co_await clock().sleep_until(began_ + (next + 1) * kBetween);
      if (chance_.one_in(3)) request.on_body(frame("BOOKMARK", config_map("", version(next))));
      const std::string event = frame(types_[next], objects_[next]);
      request.on_body(event);
      if (chance_.one_in(4)) request.on_body(event);  // once more
      ++next;
    }
    co_return co_await end(std::move(request));
  }

  Task<HttpResponse> end(HttpRequest request) {
    const Instant silent = clock().now() + request.idle_timeout;
    switch (healed() ? 0 : chance_.below(6)) {
      case 0: co_await clock().sleep_until(silent); throw Error(ErrorClass::kTransient, "silent");
      case 1: throw Error(ErrorClass::kTransient, "reset");
      case 2: request.on_body(frame("ERROR", R"({"code":410,"reason":"Expired"})")); break;
      case 3: request.on_body("{\"type\":\"ADD\n"); break;
      case 4: throw Error(ErrorClass::kUnreachable, "refused");
      default: break;
    }
    co_return json_response(200, "");
  }

  ScriptedWorld& scripted_;
  Chance& chance_;
  Instant began_;
  std::vector<std::map<std::string, std::string>> states_;  // after so many events
  std::vector<std::string> types_, objects_;
};

std::map<std::string, std::string> known_to(const Informer& informer) {
  std::map<std::string, std::string> known;
  for (const auto* object : informer.items())
    known[kube::text_at(*object, {"metadata", "name"})] =
        kube::text_at(*object, {"metadata", "resourceVersion"});
  return known;
}

Task<void> follow(Informer& informer, Clock& clock, const ChangingServer& server) {
  co_await clock.sleep_until(server.ends_at());
  while (known_to(informer) != server.final_state()) co_await informer.changed();
}

Task<void> watch_to_the_end(ScriptedWorld& scripted, ChangingServer& server) {
  Clock& clock = scripted.world().clock;
  Informer informer(scripted.client(), kube::Selection("v1", "ConfigMap", "a"));
  for (bool started = false; !started;) {
    try {
      co_await informer.start();
      started = true;
    } catch (const Error&) {
    }
  }
  std::exception_ptr failure;
  try {
    co_await within(clock, server.ends_at() + std::chrono::minutes(5), "a change was lost",
                    follow(informer, clock, server));
  } catch (...) {
    failure = std::current_exception();
  }
  co_await informer.stop();
  if (failure) std::rethrow_exception(failure);
}

TEST(FaultMix, WatchesLoseNoChange) {
  Chance chance;
  ScriptedWorld scripted;
  scripted.serve_discovery();
  auto discovery = scripted.http.handler;
  std::optional<ChangingServer> server;
  scripted.http.handler = [&](HttpRequest request) {
    scripted.http.requests.clear();
    const bool object = request.url.find("/configmaps") != std::string::npos;
    return object ? server->reply(std::move(request)) : discovery(std::move(request));
  };
  for (int i = 0; i < kWatches; ++i) {
    SCOPED_TRACE("watch " + std::to_string(i));
    server.emplace(scripted, chance);
    ASSERT_NO_THROW(scripted.run(watch_to_the_end(scripted, *server)));
  }
}

}  // namespace
}  // namespace blackstart::faults
