#include "stages/helm/redis_secret.h"

#include <algorithm>

#include "orchestrator/kube/object.h"
#include "stages/order.h"

namespace blackstart::stages::helm {
namespace {

constexpr const char* kSecret = "argocd-redis";

bool needs_the_secret(const WantedRelease& wanted) {
  bool made_by_hook = kube::flag_at(wanted.values, {"redisSecretInit", "enabled"}, true);
  bool elsewhere = !kube::text_at(wanted.values, {"externalRedis", "host"}).empty();
  return wanted.chart.name == "argo-cd" && !made_by_hook && !elsewhere;
}

}  // namespace

void lint_redis_secret(engine::Context& context, const WantedRelease& wanted) {
  if (!needs_the_secret(wanted)) return;
  auto secrets = stages_of_type(context.plan(), context.stage(), "kube.secret");
  bool made = std::ranges::any_of(secrets.before, [](const plan::Stage* stage) {
    return written_option(*stage, "name") == kSecret;
  });
  if (made) return;
  context.warn("redisSecretInit is off in the values of release " + wanted.name() +
                   ", and no stage before makes the Secret " + wanted.name_space + "/" + kSecret +
                   ": Redis does not start without it",
               "switch it on, or add a kube.secret stage before: {name: argocd-redis, namespace: " +
                   wanted.name_space + ", data: {auth: {random: {length: 24}}}}");
}

}  // namespace blackstart::stages::helm
