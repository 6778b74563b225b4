#include "tests/simulation/things.h"

namespace blackstart::sim {
namespace {

constexpr std::string_view kServer = "http://things/";
constexpr std::string_view kChange = "/change";
constexpr Duration kLongest = std::chrono::hours(24);

HttpResponse reply(int status, std::string body) { return {status, {}, std::move(body)}; }

bool is_write(const HttpRequest& request) { return request.method != "GET"; }

}  // namespace

Things::Things(SimWorld& world) : clock_(world.clock()) {
  world.http().on_send = [this](HttpRequest request) { return send(std::move(request)); };
}

int Things::count(const std::string& effect) const {
  auto found = effects.find(effect);
  return found == effects.end() ? 0 : found->second;
}

int Things::writes() const {
  int sum = 0;
  for (const auto& [name, times] : effects) sum += times;
  return sum;
}

std::string Things::end_state() const {
  std::string text;
  for (const auto& [name, thing] : things) text += name + "=" + thing.value + "\n";
  return text;
}

std::optional<Fault> Things::next_fault(const HttpRequest& request, const std::string& name) {
  if (weather) {
    if (auto fault = weather(request)) return fault;
  }
  auto& queue = is_write(request) ? treatments[name].writes : treatments[name].reads;
  if (queue.empty()) return std::nullopt;
  Fault next = queue.front();
  queue.pop_front();
  return next.is_one() ? std::optional(next) : std::nullopt;
}

Task<HttpResponse> Things::send(HttpRequest request) {
  std::string name = request.url.substr(kServer.size());
  if (name.ends_with(kChange)) {
    name.resize(name.size() - kChange.size());
    co_return co_await wait_for_change(name);
  }
  if (!is_write(request)) ++reads[name];
  std::optional<Fault> fault = next_fault(request, name);
  if (is_write(request)) {
    if (unknown_.contains(name)) blind_writes.push_back(request.method + " " + name);
  } else if (fault) {
    unknown_.insert(name);
  } else {
    unknown_.erase(name);
  }
  if (fault && (!fault->after_effect || !is_write(request))) {
    HttpResponse trouble = fault->answer();
    co_return trouble;
  }
  if (!is_write(request)) {
    co_await clock_.sleep_until(clock_.now() + treatments[name].looks);
    HttpResponse seen = read(name);
    co_return seen;
  }
  const Treatment& treatment = treatments[name];
  Instant end = clock_.now() + treatment.takes;
  bool late = treatment.answers_late;
  if (!late) co_await clock_.sleep_until(end);
  HttpResponse response = write(request, name);
  if (late) co_await clock_.sleep_until(end);
  if (!fault) co_return response;
  HttpResponse trouble = fault->answer();
  co_return trouble;
}

/// A long poll: answers when the thing becomes ready.
Task<HttpResponse> Things::wait_for_change(std::string name) {
  auto thing = things.find(name);
  bool starting = thing != things.end() && thing->second.ready_at > clock_.now();
  co_await clock_.sleep_until(starting ? thing->second.ready_at : clock_.now() + kLongest);
  co_return reply(200, "");
}

HttpResponse Things::read(const std::string& name) const {
  auto found = things.find(name);
  if (found == things.end()) return reply(404, "");
  bool ready = found->second.ready_at <= clock_.now();
  return reply(200, (ready ? "ready " : "starting ") + found->second.value);
}

HttpResponse Things::write(const HttpRequest& request, const std::string& name) {
  std::string verb = request.method == "POST" ? "make" : request.method == "PUT" ? "set" : "remove";
  ++effects[verb + " " + name];
  if (treatments[name].forgets) return reply(200, "");
  if (verb == "remove") {
    things.erase(name);
    return reply(200, "");
  }
  if (verb == "make" && things.contains(name)) return reply(409, "it is there already");
  Instant ready = clock_.now() + treatments[name].settles;
  things[name] = {request.body, ready};
  return reply(200, "");
}

namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;

void throw_if_refused(const std::string& what, const HttpResponse& response) {
  if (response.status < 400 || response.status == 404) return;
  ErrorClass error_class = response.status == 401   ? ErrorClass::kAuthentication
                           : response.status == 409 ? ErrorClass::kConflict
                           : response.status == 429 ? ErrorClass::kThrottled
                           : response.status >= 500 ? ErrorClass::kTransient
                                                    : ErrorClass::kPermanent;
  Error error(error_class, what + " was refused");
  error.because(std::to_string(response.status) + " " + response.body);
  if (auto after = response.headers.find("retry-after"); after != response.headers.end())
    error.retry_after(std::stoi(after->second));
  throw error;
}

class ThingStage : public engine::Stage {
 public:
  explicit ThingStage(bool once = false) : once_(once) {}

  Task<Observation> observe(engine::Context& context) override {
    name_ = context.text("name");
    wanted_ = context.text("value");
    HttpResponse seen = co_await ask(context, "GET", "", "");
    throw_if_refused("reading " + name_, seen);
    if (context.stage().uses == "thing") context.shared().target_reached = true;
    starting_ = false;
    if (seen.status == 404) co_return Observation::absent(name_ + " is not there");
    size_t space = seen.body.find(' ');
    std::string value = seen.body.substr(space + 1);
    if (value != wanted_) co_return Observation::differs(name_ + " is " + value);
    starting_ = seen.body.starts_with("starting");
    if (starting_) co_return Observation::differs(name_ + " is starting");
    Observation present = Observation::present(name_ + " is " + value);
    present.outputs["value"] = value;
    co_return present;
  }

  Decision decide(const Observation& seen) const override {
    if (seen.is_present()) return Decision::satisfied(seen.reason);
    if (starting_) return Decision::wait(seen.reason);
    bool there = seen.state == Observation::State::kDiffers;
    if (once_ && there) {
      Decision blocked = Decision::blocked(seen.reason, "it cannot be changed");
      blocked.causes = {"it is made only once"};
      return blocked;
    }
    std::string summary = (there ? "change " : "make ") + name_;
    return Decision::act(Action{once_ ? "make" : "set", std::move(summary), {}, once_, false});
  }

  Task<void> act(engine::Context& context, const Action& action) override {
    context.progress("making " + name_);
    std::string method = action.id == "make" ? "POST" : action.id == "set" ? "PUT" : "DELETE";
    HttpResponse response = co_await ask(context, method, "", wanted_);
    throw_if_refused(action.summary, response);
  }

  Task<void> changed(engine::Context& context) override {
    co_await ask(context, "GET", std::string(kChange), "");
  }

  Decision decide_removal(const Observation& seen) const override {
    if (seen.state == Observation::State::kAbsent) return Decision::satisfied(seen.reason);
    return Decision::act(Action{"remove", "remove " + name_, {}, false, true});
  }

 private:
  Task<HttpResponse> ask(engine::Context& context, std::string method, std::string suffix,
                         std::string body) {
    HttpRequest request;
    request.method = std::move(method);
    request.url = std::string(kServer) + name_ + suffix;
    request.body = std::move(body);
    request.total_timeout = request.idle_timeout = Duration::zero();
    co_return co_await context.world().http.send(std::move(request));
  }

  bool once_;
  std::string name_;
  std::string wanted_;
  bool starting_ = false;
};

plan::StageSchema schema(std::string name) {
  plan::StageSchema schema;
  schema.name = std::move(name);
  schema.summary = "a thing of the simulated outside";
  schema.options = {{.name = "name", .required = true, .summary = "its name"},
                    {.name = "value", .default_value = "x", .summary = "what it is"}};
  schema.outputs = {{"value", "what it is"}};
  return schema;
}

plan::StageSchema inside_the_cluster(plan::StageSchema schema) {
  schema.in_cluster = true;
  return schema;
}

class ThingsCatalog final : public engine::Catalog {
 public:
  const engine::StageType* find(std::string_view uses) const override {
    auto found = std::ranges::find(types_, uses, [](const auto& type) { return type.schema.name; });
    return found == std::end(types_) ? nullptr : &*found;
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const engine::StageType& type : types_) names.push_back(type.schema.name);
    return names;
  }

 private:
  const engine::StageType types_[4] = {
      {schema("thing"), engine::Work::kLight,
       []() -> std::unique_ptr<engine::Stage> { return std::make_unique<ThingStage>(); }},
      {schema("thing.once"), engine::Work::kLight,
       []() -> std::unique_ptr<engine::Stage> { return std::make_unique<ThingStage>(true); }},
      {inside_the_cluster(schema("inside.thing")), engine::Work::kLight,
       []() -> std::unique_ptr<engine::Stage> { return std::make_unique<ThingStage>(); }},
      {schema("tool.thing"), engine::Work::kProcess,
       []() -> std::unique_ptr<engine::Stage> { return std::make_unique<ThingStage>(); }},
  };
};

}  // namespace

const engine::Catalog& things_catalog() {
  static const ThingsCatalog catalog;
  return catalog;
}

void write_plan(SimWorld& world, const std::string& stages) {
  world.files().add("/plan/plan.yaml",
                    "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: test}\n"
                    "spec:\n  stages:\n" +
                        stages);
}

}  // namespace blackstart::sim
