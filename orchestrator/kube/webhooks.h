// Webhooks that the API server must ask before it takes an object, and cannot call.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/kube/client.h"

namespace blackstart::kube {

/// Who is in the way, and how to remove it.
struct SilentWebhook {
  std::vector<std::string> causes;  // its configuration, its Service, what is behind that
  std::string hint;                 // the command that removes it; nothing is removed by us
};

/// Looks for the webhook that ApiError::webhook() names. Empty when it cannot be found. Never
/// throws but when cancelled.
Task<SilentWebhook> explain_webhook(Client& client, UncallableWebhook which);

}  // namespace blackstart::kube
