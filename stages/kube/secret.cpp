// kube.secret: a Secret from files, the environment or chance. What is there is kept; no value is
// shown.
#include <algorithm>
#include <boost/json/object.hpp>

#include "stages/kube/applied.h"
#include "stages/kube/objects.h"
#include "stages/kube/secret_data.h"
#include "stages/target.h"

namespace blackstart::stages {
namespace {

using engine::Action;
using engine::Decision;
using engine::Observation;
using plan::OptionType;

constexpr const char* kManager = "blackstart";

/// The keys of a map of the live object ("f:data") that we own.
std::vector<std::string> owned_keys(const boost::json::value& live,
                                    std::initializer_list<std::string_view> map) {
  std::vector<std::string> keys;
  for (const auto& entry : kube::list_at(live, {"metadata", "managedFields"})) {
    bool ours = kube::text_at(entry, {"manager"}) == kManager &&
                kube::text_at(entry, {"operation"}) == "Apply";
    if (!ours) continue;
    const auto* fields = kube::find(entry, {"fieldsV1"});
    const auto* owned = fields ? kube::find(*fields, map) : nullptr;
    if (!owned || !owned->is_object()) continue;
    for (const auto& [field, ignored] : owned->get_object())
      if (field.starts_with("f:")) keys.push_back(std::string(field).substr(2));
  }
  return keys;
}

/// The value of a key in the cluster, decoded; nullopt when it has none.
std::optional<std::string> live_value(const boost::json::value& live, const std::string& key) {
  const auto* data = kube::find(live, {"data"});
  const auto* found = data && data->is_object() ? data->get_object().if_contains(key) : nullptr;
  if (!found || !found->is_string()) return std::nullopt;
  return base64_decode(std::string_view(found->get_string()));
}

class SecretStage final : public engine::Stage {
 public:
  Task<Observation> observe(engine::Context& context) override {
    ref_ = {"v1", "Secret", context.text("namespace"), context.text("name")};
    type_ = context.text("type");
    entries_ = read_secret_data(context, context.option("data"));
    keep_ = context.flag("keep");
    live_ = nullptr;
    if (auto stage = waits_for_cluster(context)) {
      compare(context);
      co_return Observation::deferred(*stage);
    }
    auto client = co_await connect(context);
    if (auto found = co_await client->get(ref_)) live_ = std::move(*found);
    compare(context);
    co_await recall(context);
    if (live_.is_null()) co_return Observation::absent(ref_.to_string() + " is not there");
    if (missing_)
      co_return Observation::differs("whether " + ref_.to_string() +
                                     " is as wanted cannot be told: " + missing_->summary());
    if (changes_.empty()) co_return Observation::present(ref_.to_string() + " has all keys");
    co_return Observation::differs(count_of(changes_.size(), "key or label", "keys or labels") +
                                   " of " + ref_.to_string() + " missing, different or not wanted");
  }

  Decision decide(const Observation& seen) const override {
    if (seen.is_present()) return Decision::satisfied(seen.reason);
    std::string live_type = kube::text_at(live_, {"type"});
    if (!live_.is_null() && live_type != type_)
      return Decision::blocked(
          ref_.to_string() + " has type " + live_type + ", the plan wants " + type_,
          "the type of a Secret cannot be changed: correct `type`, or delete the "
          "Secret if its values are not needed any more");
    if (missing_) throw *missing_;
    return Decision::act(Action{"apply", "apply " + ref_.to_string(), changes_, false, takes_away_},
                         seen.reason);
  }

  Task<void> act(engine::Context& context, const Action& action) override {
    auto client = co_await connect(context);
    if (action.id == "remove") {
      const std::string uid = kube::text_at(live_, {"metadata", "uid"});
      co_await client->remove(ref_, uid);
      co_return;
    }
    // A fresh look: two runs must not give one key two random values.
    if (auto found = co_await client->get(ref_)) live_ = std::move(*found);
    boost::json::value object = wanted(context);
    std::vector<Applied> applied;
    applied.push_back(about_to_apply(ref_, live_, known_ ? &*known_ : nullptr));
    co_await remember_applied(context, applied);
    kube::Client::ApplyOptions options(kManager);
    co_await client->apply(std::move(object), options);
  }

  Decision decide_removal(const Observation& seen) const override {
    if (seen.state == Observation::State::kDeferred || live_.is_null())
      return Decision::satisfied("it is not there");
    if (!known_ || !made_here(*known_, live_, kManager))
      return Decision::satisfied("left in place: " + ref_.to_string() + " was " + kNotOurs);
    return Decision::act(
        Action{"remove", "remove " + ref_.to_string(), {"- " + ref_.to_string()}, false, true});
  }

 private:
  /// What is remembered of the Secret that is there; nothing when there is none.
  Task<void> recall(engine::Context& context) {
    known_.reset();
    if (live_.is_null()) co_return;
    const auto memory = read_applied(context).value_or(std::vector<Applied>());
    const auto found = std::ranges::find(memory, ref_, &Applied::ref);
    known_ = seen_again(ref_, live_, found == memory.end() ? nullptr : &*found, kManager);
    std::vector<Applied> applied;
    applied.push_back(*known_);
    co_await remember_applied(context, applied);
  }

  /// Does a key keep the value that it has?
  bool stays(const SecretEntry& entry) const {
    return live_value(live_, entry.key) && (keep_ || entry.random);
  }

  void compare(engine::Context& context) {
    changes_.clear();
    missing_.reset();
    for (const SecretEntry& entry : entries_) {
      auto there = live_value(live_, entry.key);
      if (there) context.redact(*there);
      if (!there) changes_.push_back("+ " + entry.key + (entry.random ? " (random)" : ""));
      if (stays(entry)) continue;
      if (entry.secret.missing && !missing_) missing_ = entry.secret.missing;
      if (there && there != entry.secret.value) changes_.push_back("~ " + entry.key);
    }
    compare_labels(context);
    compare_owned();
  }

  void compare_labels(engine::Context& context) {
    labels_ = {};
    if (!context.has("labels")) return;
    for (const auto& [name, value] : context.option("labels").as_map()) {
      labels_[name] = value.as_text();
      if (kube::text_at(live_, {"metadata", "labels", name}) != value.as_text())
        changes_.push_back("~ label " + name);
    }
  }

  /// What we applied once and the plan has no more: whatever is applied next takes it away.
  void compare_owned() {
    size_t before = changes_.size();
    for (const std::string& key : owned_keys(live_, {"f:data"})) {
      bool wanted = std::any_of(entries_.begin(), entries_.end(),
                                [&](const SecretEntry& entry) { return entry.key == key; });
      if (!wanted) changes_.push_back("- " + key);
    }
    for (const std::string& name : owned_keys(live_, {"f:metadata", "f:labels"}))
      if (!labels_.contains(name)) changes_.push_back("- label " + name);
    takes_away_ = changes_.size() > before;
  }

  std::string value_of(engine::Context& context, const SecretEntry& entry) const {
    if (stays(entry)) return *live_value(live_, entry.key);
    if (entry.random) return make_random(context, *entry.random);
    if (entry.secret.missing) throw *entry.secret.missing;
    return *entry.secret.value;
  }

  /// All keys: one that was left out would be taken away, since we own it.
  boost::json::value wanted(engine::Context& context) const {
    boost::json::object data;
    for (const SecretEntry& entry : entries_) {
      data[entry.key] = base64_encode(value_of(context, entry));
    }
    boost::json::object metadata{{"name", ref_.name}, {"namespace", ref_.name_space}};
    if (!labels_.empty()) metadata["labels"] = labels_;
    return boost::json::object{{"apiVersion", "v1"},
                               {"kind", "Secret"},
                               {"type", type_},
                               {"metadata", std::move(metadata)},
                               {"data", std::move(data)}};
  }

  kube::ObjectRef ref_;
  std::string type_;
  std::vector<SecretEntry> entries_;
  bool keep_ = true;
  boost::json::object labels_;
  boost::json::value live_;  // null when it is not there
  std::optional<Applied> known_;
  std::vector<std::string> changes_;  // names only, never values
  std::optional<Error> missing_;      // why there is no value where one is needed
  bool takes_away_ = false;
};

}  // namespace

extern const engine::StageType kKubeSecret;
const engine::StageType kKubeSecret{
    .schema =
        {
            .name = "kube.secret",
            .summary =
                "A Secret from files, the environment or random values; what is there is kept.",
            .options =
                {
                    {.name = "name", .required = true, .summary = "name of the Secret"},
                    {.name = "namespace", .required = true, .summary = "its namespace"},
                    {.name = "type", .default_value = "Opaque", .summary = "its type"},
                    {.name = "data",
                     .type = OptionType::kMap,
                     .required = true,
                     .summary = "its keys, each with one source",
                     .secret = true,
                     .fields = {{.name = plan::kAnyKey,
                                 .type = OptionType::kMap,
                                 .summary = "one of value, fromFile, fromEnv, random",
                                 .fields = secret_sources()}}},
                    {.name = "keep",
                     .type = OptionType::kBoolean,
                     .default_value = "true",
                     .summary = "a key that is there keeps its value; random ones always do"},
                    {.name = "labels",
                     .type = OptionType::kMap,
                     .summary = "labels",
                     .fields = {{.name = plan::kAnyKey, .summary = "the value, a text"}}},
                },
            .in_cluster = true,
        },
    .work = engine::Work::kApi,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<SecretStage>(); },
};

}  // namespace blackstart::stages
