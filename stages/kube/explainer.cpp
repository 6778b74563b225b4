#include "stages/kube/explainer.h"

namespace blackstart::stages {
namespace {

constexpr Duration kPause = std::chrono::seconds(3);

}  // namespace

bool Explainer::is_due(engine::Context& context, bool now) {
  Instant time = context.world().clock.now();
  bool first = explained_ == Instant{};
  bool due = now || context.read_only || (!first && time - explained_ >= kPause);
  if (first || due) explained_ = time;
  return due;
}

Task<kube::Diagnosis> Explainer::explain(engine::Context& context, kube::Client& client,
                                         boost::json::value object, bool now) {
  kube::ObjectRef ref = kube::ref_of(object);
  if (ref != of_) diagnosis_ = {};
  of_ = ref;
  if (is_due(context, now)) diagnosis_ = co_await kube::diagnose(client, std::move(object));
  co_return diagnosis_;
}

}  // namespace blackstart::stages
