#include "stages/kube/download.h"

#include <algorithm>

#include "orchestrator/base/text.h"
#include "stages/web.h"

namespace blackstart::stages {
namespace {

constexpr size_t kSizeLimit = 32u << 20;
constexpr size_t kRedirectsMost = 5;

/// What is fetched must be what was meant.
void check_source(const std::string& url, const Place& place) {
  check_url(url, place);
  if (url.starts_with("https://") || is_of_this_machine(url)) return;
  throw Error(ErrorClass::kUsage, "'" + url + "' cannot be used")
      .at(place)
      .because("http can be changed by anybody on the way")
      .hint("use https");
}

void check_pin(const plan::Value& pinned) {
  const std::string& pin = pinned.as_text();
  const bool hex = pin.find_first_not_of("0123456789abcdef") == pin.npos;
  if (hex && pin.size() == 64) return;
  throw Error(ErrorClass::kUsage, "sha256 is no SHA-256 digest: '" + pin + "'")
      .at(pinned.place)
      .hint("64 digits and small letters, as sha256sum prints them");
}

/// Where a redirect leads, as seen from `url` (RFC 3986, 5.2).
std::string next_url(const std::string& url, const std::string& location) {
  const size_t scheme = location.find("://");
  if (scheme < location.find_first_of("/?#")) return location;
  if (location.starts_with("//")) return url.substr(0, url.find("//")) + location;
  const std::string origin = origin_of(url);
  if (location.starts_with('/')) return origin + location;
  const std::string path = url.substr(0, url.find_first_of("?#", origin.size()));
  return path.substr(0, std::max(path.rfind('/'), origin.size())) + "/" + location;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error failed(const std::string& url, int status, const std::string& why) {
  return Error(class_of_status(status), "cannot download " + url).because(why);
}

Task<std::string> fetch(engine::Context& context, std::string url, Place place) {
  const std::string asked = url;
  for (size_t hop = 0; hop <= kRedirectsMost; ++hop) {
    check_source(url, place);
    HttpRequest request;
    request.url = url;
    request.body_limit = kSizeLimit;
    context.progress("downloading " + url);
    HttpResponse response = co_await context.world().http.send(std::move(request));
    if (response.status == 200) co_return std::move(response.body);
    auto location = response.headers.find("location");
    if (!is_redirect(response.status) || location == response.headers.end())
      throw failed(asked, response.status,
                   "the server answered " + std::to_string(response.status) +
                       (url == asked ? "" : " at " + url));
    url = next_url(url, location->second);
  }
  throw failed(asked, 0, "more than " + count_of(kRedirectsMost, "redirect"));
}

/// What is kept of it, if that is still what its name says.
std::string kept(const Files& files, const std::string& file, const std::string& pin) {
  if (files.kind(file) != FileKind::kFile) return {};
  std::string text = files.read(file, kSizeLimit);
  return sha256_hex(text) == pin ? text : std::string();
}

}  // namespace

std::vector<plan::OptionSpec> with_url_fields(std::vector<plan::OptionSpec> options) {
  options.push_back({.name = "url", .summary = "https URL of a manifest file; pin it with sha256"});
  options.push_back({.name = "sha256",
                     .summary = "SHA-256 that the file at the URL must have; kept, so that later "
                                "runs need no network"});
  return options;
}

Task<std::string> download(engine::Context& context, const plan::Value& source) {
  const plan::Value& url = *source.find("url");
  const plan::Value* pinned = source.given("sha256");
  check_source(url.as_text(), url.place);
  if (pinned) check_pin(*pinned);
  const std::string pin = pinned ? pinned->as_text() : "";
  const std::string folder = context.tool_home("downloads");
  const std::string file = folder + "/" + pin;
  Files& files = context.world().files;
  if (std::string text = pinned ? kept(files, file, pin) : ""; !text.empty()) co_return text;
  std::string text = co_await fetch(context, url.as_text(), url.place);
  const std::string digest = sha256_hex(text);
  if (!pinned)
    context.warn(url.as_text() + " is not pinned: it may hold something else at the next run",
                 "add `sha256: " + digest + "` beside the url");
  if (pinned && digest != pin)
    throw Error(ErrorClass::kPermanent, url.as_text() + " does not hold what the plan pins")
        .at(pinned->place)
        .because("its SHA-256 is " + digest + ", the plan says " + pin)
        .hint("look at what has changed before you pin the new one");
  if (pinned && !context.read_only) {
    files.make_folders(folder);
    files.write(file, text);
  }
  co_return text;
}

}  // namespace blackstart::stages
