#include "orchestrator/kube/api_error.h"

#include <time.h>

#include <boost/json/array.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <optional>

#include "orchestrator/base/text.h"
#include "orchestrator/kube/json.h"
#include "orchestrator/kube/object.h"
#include "orchestrator/world/answer_too_large.h"

namespace blackstart::kube {

namespace json = boost::json;

ApiError::ApiError(ErrorClass error_class, std::string summary, int status, std::string reason)
    : Error(error_class, std::move(summary)), status_(status), reason_(std::move(reason)) {}

void ApiError::add_conflict(FieldConflict conflict) {
  because(conflict.field + " is owned by \"" + conflict.manager + "\"");
  conflicts_.push_back(std::move(conflict));
}

ApiError& ApiError::because(std::string why) {
  Error::because(std::move(why));
  return *this;
}

namespace {

constexpr size_t kShownBody = 200;  // of an answer that is no Status: a proxy's page
constexpr size_t kShownCauses = 20;

std::optional<WallTime> parse_http_date(const std::string& text) {
  tm parts{};
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string header(const HttpResponse& response, const std::string& name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

json::value status_object(const HttpResponse& response) {
  try {
    json::value parsed = parse_json(response.body);
    if (text_at(parsed, {"kind"}) == "Status") return parsed;
  } catch (const boost::system::system_error&) {
    // A proxy or another kind of server answered: its text is shown instead.
  }
  return nullptr;
}

/// Of a health check's list ("[+]ping ok", "[-]etcd failed: reason withheld"): what fails.
std::string failing_checks(const std::string& body) {
  constexpr std::string_view kFails = "[-]";
  std::vector<std::string> failing;
  for (const std::string& line : split(body, '\n')) {
    if (line.starts_with(kFails)) failing.emplace_back(trim(line.substr(kFails.size())));
  }
  return join(failing, "; ").substr(0, kShownBody);
}

std::string first_line(std::string_view body) {
  std::string_view line = trim(body.substr(0, body.find('\n')));
  return std::string(line.substr(0, kShownBody));
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct Webhook {
  UncallableWebhook which;
  std::string trouble;  // "connection refused", in the server's words
  bool converts = false;

  std::string sentence() const {
    return (converts ? "the conversion webhook of " + which.name
                     : "webhook \"" + which.name + '"') +
           " cannot be called yet: " + trouble;
  }
};

// Takes 'Post "URL": ' from the front of `text`; empty when it does not begin so.
std::string take_url(std::string& text) {
  constexpr std::string_view kPost = "Post \"";
  constexpr std::string_view kClose = "\": ";
  const size_t end = text.starts_with(kPost) ? text.find(kClose, kPost.size()) : text.npos;
  if (end == text.npos) return {};
  std::string url = text.substr(kPost.size(), end - kPost.size());
  text.erase(0, end + kClose.size());
  return url;
}

// The texts are those of k8s.io/apiserver: 'failed calling webhook "NAME": failed to call webhook:
// Post "URL": TROUBLE' and 'conversion webhook for GROUP/VERSION, Kind=KIND failed: Post "URL": …'.
// What a conversion webhook itself refuses stands behind the same words, without a URL.
std::optional<Webhook> uncallable_webhook(const std::string& message) {
  constexpr std::string_view kAdmission = "failed calling webhook \"";
  constexpr std::string_view kConversion = "conversion webhook for ";
  const bool converts = !contains(message, kAdmission);
  const std::string_view mark = converts ? kConversion : kAdmission;
  const std::string_view close = converts ? " failed: " : "\": ";
  const size_t begin = message.find(mark);
  const size_t end = begin == std::string::npos ? begin : message.find(close, begin + mark.size());
  if (end == std::string::npos) return std::nullopt;
  const size_t name = begin + mark.size();
  std::string trouble = message.substr(end + close.size());
  constexpr std::string_view kCall = "failed to call webhook: ";
  if (trouble.starts_with(kCall)) trouble.erase(0, kCall.size());
  std::string url = take_url(trouble);
  if (converts && url.empty()) return std::nullopt;
  return Webhook{{message.substr(name, end - name), std::move(url)}, std::move(trouble), converts};
}

// Why the cluster cannot take it yet, in a word of ours; empty when that is not what the server
// says. A webhook that says no has been called: its answer reads "admission webhook … denied the
// request".
std::string reason_not_ready(const std::string& message) {
  if (uncallable_webhook(message)) return kUncallable;
  return contains(message, "because it is being terminated") ? kTerminating : "";
}

// Admission, quota and a dying namespace also answer 403, yet no credentials will help there.
ErrorClass class_of_forbidden(const std::string& message) {
  // Of a quota that its controller has not counted yet.
  if (contains(message, "status unknown for quota")) return ErrorClass::kNotReady;
  const bool lacks_permission = contains(message, "User \"") && contains(message, " cannot ");
  return lacks_permission ? ErrorClass::kAuthentication : ErrorClass::kPermanent;
}

// An object that does not fit its schema is refused with 500 by server-side apply: a field of the
// wrong type at first, a text that its type cannot hold (a quantity) at the conversion.
bool is_misfit(const std::string& message) {
  return message.starts_with("failed to create typed patch object") ||
         message.starts_with("failed to convert new object");
}

// The API server takes 3 MiB, etcd half of it (--max-request-bytes) and its client 2 MiB: these
// refusals come as 500 as well.
bool is_too_large_for_etcd(const std::string& message) {
  return contains(message, "etcdserver: request is too large") ||
         contains(message, "trying to send message larger than max");
}

ErrorClass class_of_internal(const std::string& message) {
  const bool refused = is_misfit(message) || is_too_large_for_etcd(message);
  return refused ? ErrorClass::kPermanent : ErrorClass::kTransient;
}

ErrorClass class_of(int status, const std::string& message) {
  if (!reason_not_ready(message).empty()) return ErrorClass::kNotReady;
  switch (status) {
    case 401: return ErrorClass::kAuthentication;
    case 403: return class_of_forbidden(message);
    case 408: return ErrorClass::kTransient;
    case 409: return ErrorClass::kConflict;
    case 410: return ErrorClass::kTransient;
    case 429: return ErrorClass::kThrottled;
    case 500: return class_of_internal(message);
    case 501:
    case 505: return ErrorClass::kPermanent;
    default: return status >= 500 ? ErrorClass::kTransient : ErrorClass::kPermanent;
  }
}

std::string hint_for_forbidden(const std::string& message) {
  if (contains(message, "being terminated"))
    return "if the namespace stays, run the controllers behind the finalizers, and bring back or "
           "delete the APIServices that are named";
  if (contains(message, "system:anonymous"))
    return "the API server saw no valid credentials: check the user of the kubeconfig's context";
  if (contains(message, "exceeded quota")) return "raise the ResourceQuota or ask for less";
  if (contains(message, "violates PodSecurity"))
    return "label the namespace with the pod-security.kubernetes.io/enforce level that it needs";
  if (contains(message, " cannot "))
    return "grant this permission, or use a kubeconfig that has it";
  return {};
}

std::string hint_for(int status, const std::string& message) {
  if (status == 401)
    return "the credentials have expired or belong to another cluster: make a new kubeconfig";
  if (status == 403) return hint_for_forbidden(message);
  if (contains(message, "expected string, got"))
    return "put the value in quotes: YAML reads y, no, on, 1 and the like as no strings";
  if (status == 413 || is_too_large_for_etcd(message))
    return "the object is larger than the API server and its etcd take: split it";
  if (uncallable_webhook(message))
    return "the webhook's own pods must be ready first; if its operator is gone for good, remove "
           "its webhook configuration by hand";
  return {};
}

// Where the owner of a field lets it be changed. Helm writes as "helm", Argo CD as
// "argocd-controller" (or "argocd-application-controller" without server-side apply), and kubectl
// under the name of its command.
std::string hint_for_owner(const std::string& manager) {
  std::string owner = "leave the field to its owner";
  if (manager == "helm")
    owner = "a Helm release owns the field: change it in the release's values";
  else if (manager.starts_with("argocd-"))
    owner = "Argo CD owns the field: change it in the repository that it follows";
  else if (manager.starts_with("kubectl"))
    owner =
        "the field was written by hand with kubectl: leave it out of the manifest to keep it so";
  return owner + ", or take it over once with `force: true` on the stage";
}

// A 404 about an object names it; any other is about the path: nobody serves such objects.
std::string reason_of(int status_code, const json::value& status) {
  std::string not_ready = reason_not_ready(text_at(status, {"message"}));
  if (!not_ready.empty()) return not_ready;
  const bool names_object = !text_at(status, {"details", "name"}).empty();
  if (status_code == 404 && !names_object) return kNoMatch;
  return text_at(status, {"reason"});
}

// A conflict reads 'conflict with "helm" using apps/v1': the manager stands in the first quotes.
std::string quoted(std::string_view message) {
  const size_t begin = message.find('"');
  const size_t end = begin == std::string_view::npos ? begin : message.find('"', begin + 1);
  if (end == std::string_view::npos) return std::string(message);
  return std::string(message.substr(begin + 1, end - begin - 1));
}

void add_causes(ApiError& error, const json::value& status) {
  const json::array& all = list_at(status, {"details", "causes"});
  for (size_t i = 0; i < all.size() && i < kShownCauses; ++i) {
    const std::string field = text_at(all[i], {"field"});
    const std::string message = text_at(all[i], {"message"});
    if (text_at(all[i], {"reason"}) == "NamespaceTerminating" || uncallable_webhook(message))
      continue;  // the message says it
    if (text_at(all[i], {"reason"}) == "FieldManagerConflict") {
      error.add_conflict({field, quoted(message)});
      continue;
    }
    error.add_refusal({field, message});
    if (!contains(error.full_text(), message)) {
      error.because(field.empty() ? message : field + ": " + message);
    }
  }
  if (all.size() > kShownCauses)
    error.because("and " + std::to_string(all.size() - kShownCauses) + " more");
}

void add_clock_skew(ApiError& error, const HttpResponse& response, WallTime now) {
  const auto server_time = parse_http_date(header(response, "date"));
  if (!server_time) return;
  const auto skew = std::chrono::duration_cast<Duration>(now - *server_time);
  if (std::chrono::abs(skew) <= std::chrono::seconds(60)) return;
  error.because("this machine's clock is " + format_duration(std::chrono::abs(skew)) +
                (skew.count() > 0 ? " ahead of" : " behind") + " the API server's");
}

}  // namespace

int retry_after_seconds(const HttpResponse& response, WallTime now) {
  constexpr int kMost = 60;
  const std::string text = header(response, "retry-after");
  if (text.empty()) return 0;
  char* end = nullptr;
  const long seconds = std::strtol(text.c_str(), &end, 10);
  if (end != text.c_str() && *end == '\0')
    return static_cast<int>(std::clamp(seconds, 0L, long{kMost}));
  const auto date = parse_http_date(text);
  if (!date || *date <= now) return 0;
  const auto wait = std::chrono::ceil<std::chrono::seconds>(*date - now).count();
  return static_cast<int>(std::min<long>(wait, kMost));
}

ApiError error_of(const HttpResponse& response, const std::string& what, WallTime now) {
  const json::value status = status_object(response);
  std::string message = text_at(status, {"message"});
  if (message.empty()) {
    std::string line = failing_checks(response.body);
    if (line.empty()) line = first_line(response.body);
    message = "the server answered " + std::to_string(response.status) +
              (line.empty() ? "" : ": ") + line;
  }
  ApiError error(class_of(response.status, message), "cannot " + what, response.status,
                 reason_of(response.status, status));
  const auto webhook = uncallable_webhook(message);
  if (webhook) error.set_webhook(webhook->which);
  // The server's text for a conflict repeats all fields: the causes below say it in order.
  if (response.status != 409 || !find(status, {"details", "causes"}))
    error.because(webhook ? webhook->sentence() : message);
  add_causes(error, status);
  if (response.status == 401) add_clock_skew(error, response, now);
  error.retry_after(retry_after_seconds(response, now));
  if (!error.conflicts().empty()) error.hint(hint_for_owner(error.conflicts().front().manager));
  error.hint(hint_for(response.status, message));
  return error;
}

ApiError error_of(const Error& cause, const std::string& what, const std::string& server) {
  const bool too_large = dynamic_cast<const AnswerTooLarge*>(&cause) != nullptr;
  ApiError error(cause.error_class(), "cannot " + what, 0, too_large ? kTooLarge : "");
  error.because(cause.full_text());
  error.hint(cause.hint());
  if (cause.error_class() == ErrorClass::kUnreachable)
    error.hint("is the API server at " + server + " running, and can it be reached from here?");
  if (cause.error_class() == ErrorClass::kAuthentication)
    error.hint("the kubeconfig may be of an earlier cluster at " + server +
               " (another CA), its certificate may have expired, or this machine's clock is wrong");
  return error;
}

}  // namespace blackstart::kube
