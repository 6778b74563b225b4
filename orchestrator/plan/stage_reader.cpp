#include "orchestrator/plan/stage_reader.h"

#include <algorithm>
#include <unordered_set>

#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/grammar.h"
#include "orchestrator/plan/scope.h"
#include "orchestrator/plan/suggest.h"
#include "orchestrator/plan/template.h"

namespace blackstart::plan {
namespace {

constexpr int64_t kAttemptsMax = 100;
constexpr Duration kTimeoutMax = std::chrono::hours(24 * 7);

bool is_label(std::string_view text) {
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.size() > 63 || !plain(text.front())) return false;
  return std::ranges::all_of(text,
                             [&](char c) { return plain(c) || c == '-' || c == '_' || c == '.'; });
}

/// `with` and `when` may use outputs and are read later; all other keys only know variables.
Value read_keys(const yaml::Node& node, const Plan& plan, Diagnostics& diagnostics) {
  Value keys;
  keys.kind = Value::Kind::kMap;
  keys.place = node.place;
  keys.entries.reserve(node.entries.size());
  PlanScope scope(plan, nullptr);
  for (const auto& [key, child] : node.entries) {
    std::string name = yaml::key_name(key);
    bool later = name == "with" || name == "when";
    Value value = later ? outline(child, 0) : resolve_node(child, scope, diagnostics);
    value.key_place = key.place;
    keys.entries.emplace_back(std::move(name), std::move(value));
  }
  return keys;
}

class Reader {
 public:
  Reader(NamedNode source, const Plan& plan, const SchemaLookup& schemas, Diagnostics& diagnostics)
      : source_(std::move(source)), plan_(plan), schemas_(schemas), diagnostics_(diagnostics) {}

  Stage read() {
    stage_.name = source_.name;
    stage_.place = source_.place;
    Value keys = read_keys(source_.node, plan_, diagnostics_);
    ConformContext context{diagnostics_, plan_.folder, false, {}};
    conform_map(keys, stage_keys(), "stage '" + source_.name + "'", context);
    keys_ = &keys;
    read_uses();
    for (auto& [key, value] : source_.node.entries) {
      if (key.scalar == "with") stage_.with = std::move(value);
      if (key.scalar == "when" && value.kind != yaml::Node::Kind::kNull) {
        stage_.when = std::move(value);
      }
    }
    read_needs();
    read_labels();
    read_limits();
    read_behaviour();
    return std::move(stage_);
  }

 private:
  /// The value of a key if it is there, known and of this kind: all else has been reported.
  const Value* get(std::string_view key, Value::Kind kind) const {
    const Value* value = keys_->find(key);
    return value != nullptr && value->kind == kind ? value : nullptr;
  }
  const Value* text(std::string_view key) const { return get(key, Value::Kind::kString); }

  void read_uses() {
    const Value* uses = text("uses");
    if (uses == nullptr) return;
    stage_.uses = uses->text;
    stage_.schema = schemas_.find_schema(uses->text);
    if (stage_.schema == nullptr) {
      diagnostics_.error(uses->place, "unknown stage type '" + uses->text + "'",
                         suggest(uses->text, schemas_.names()));
    } else if (!stage_.schema->warning.empty()) {
      diagnostics_.warning(uses->place, stage_.schema->warning);
    }
  }

  void read_needs() {
    const Value* needs = get("needs", Value::Kind::kList);
    if (needs == nullptr) return;
    std::unordered_set<std::string_view> named;
    for (const Value& item : needs->items) {
      if (item.kind != Value::Kind::kString) continue;
      if (named.insert(item.text).second) {
        stage_.needs.push_back({item.text, item.place, false});
      } else {
        diagnostics_.warning(item.place, "'needs' names '" + item.text + "' twice");
      }
    }
  }

  void check_label(const Value& value, const char* what) {
    if (is_label(value.text)) return;
    diagnostics_.error(value.place, std::string(what) + " must be a label",
                       "letters, digits, '-', '_' and '.', at most 63 characters");
  }

  void read_labels() {
    if (const Value* stack = text("stack")) {
      check_label(*stack, "'stack'");
      stage_.stack = stack->text;
    }
    if (const Value* tags = get("tags", Value::Kind::kList)) {
      for (const Value& tag : tags->items) {
        if (tag.kind != Value::Kind::kString) continue;
        check_label(tag, "a tag");
        stage_.tags.push_back(tag.text);
      }
    }
  }

  void read_duration(const Value* value, const char* name, Duration& target) {
    if (value == nullptr || value->kind != Value::Kind::kString) return;
    auto duration = parse_duration(value->text);
    if (!duration) return;  // reported
    if (*duration <= Duration::zero() || *duration > kTimeoutMax) {
      diagnostics_.error(value->place,
                         std::string("'") + name + "' must be more than 0 and at most 168h");
      return;
    }
    target = *duration;
  }

  void read_limits() {
    read_duration(keys_->find("timeout"), "timeout", stage_.timeout);
    stage_.timeout_given = keys_->find("timeout") != nullptr;
    const Value* retry = get("retry", Value::Kind::kMap);
    if (retry == nullptr) return;
    if (const Value* attempts = retry->find("attempts");
        attempts != nullptr && attempts->kind == Value::Kind::kInteger) {
      if (attempts->integer < 1 || attempts->integer > kAttemptsMax) {
        diagnostics_.error(attempts->place, "'attempts' must be from 1 to 100");
      } else {
        stage_.retry.attempts = static_cast<int>(attempts->integer);
      }
    }
    read_duration(retry->find("backoff"), "backoff", stage_.retry.backoff);
    read_duration(retry->find("maxBackoff"), "maxBackoff", stage_.retry.backoff_max);
    if (retry->find("maxBackoff") == nullptr)
      stage_.retry.backoff_max = std::max(stage_.retry.backoff, stage_.retry.backoff_max);
    if (stage_.retry.backoff_max < stage_.retry.backoff) {
      diagnostics_.error(retry->place, "'maxBackoff' must not be shorter than 'backoff'");
    }
  }

  void read_behaviour() {
    if (const Value* confirm = keys_->find("confirm")) read_confirm(*confirm);
    if (const Value* owner = text("owner")) {
      stage_.owner = owner->text == "argocd" ? Owner::kArgocd : Owner::kBlackstart;
    }
    if (const Value* on_failure = text("onFailure")) {
      stage_.on_failure = on_failure->text == "stop" ? OnFailure::kStop : OnFailure::kContinue;
    }
    if (const Value* notes = text("notes")) stage_.notes = notes->text;
  }

  void read_confirm(const Value& confirm) {
    if (confirm.kind == Value::Kind::kUnknown) return;
    if (confirm.kind != Value::Kind::kString) {
      diagnostics_.error(confirm.place,
                         "'confirm' must be never, once, always or the question to ask, not " +
                             confirm.kind_text());
    } else if (confirm.text == "once") {
      stage_.confirm = Confirm::kOnce;
    } else if (confirm.text != "never") {
      stage_.confirm = Confirm::kAlways;
      if (confirm.text != "always") stage_.confirm_message = confirm.text;
    }
  }

  NamedNode source_;
  const Plan& plan_;
  const SchemaLookup& schemas_;
  Diagnostics& diagnostics_;
  const Value* keys_ = nullptr;
  Stage stage_;
};

}  // namespace

Stage read_stage(NamedNode source, const Plan& plan, const SchemaLookup& schemas,
                 Diagnostics& diagnostics) {
  return Reader(std::move(source), plan, schemas, diagnostics).read();
}

}  // namespace blackstart::plan
