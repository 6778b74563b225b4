#include "orchestrator/kube/surroundings.h"

#include <algorithm>

#include "orchestrator/kube/evidence.h"
#include "orchestrator/kube/readiness_rules.h"

namespace blackstart::kube {

namespace json = boost::json;

Task<Surroundings> look_around(Client& client, const std::vector<const json::value*>& objects) {
  Surroundings around;
  const bool claims =
      std::ranges::any_of(objects, [](const json::value* one) { return is_pending_claim(*one); });
  if (!claims) co_return around;
  auto list = co_await if_readable(client.list("storage.k8s.io/v1", "StorageClass", ""));
  if (list) around.storage_classes = std::move(list->items);
  co_return around;
}

}  // namespace blackstart::kube
