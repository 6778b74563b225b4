#include "stages/http/exchange.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "stages/url.h"

namespace blackstart::stages::http {
namespace {

constexpr size_t kFileLimit = 1u << 20;
constexpr size_t kBodyLimit = 8u << 20;  // of an answer
constexpr size_t kExcerpt = 500;

std::string read_if(engine::Context& context, const plan::Value& options, const char* name) {
  const plan::Value* path = options.given(name);
  return path ? context.world().files.read(path->as_text(), kFileLimit) : std::string();
}

std::shared_ptr<const TlsIdentity> read_identity(engine::Context& context,
                                                 const plan::Value& options) {
  auto tls = std::make_shared<TlsIdentity>();
  tls->ca = read_if(context, options, "ca");
  tls->certificate = read_if(context, options, "certificate");
  tls->key = read_if(context, options, "key");
  context.redact(tls->key);
  if (tls->certificate.empty() == tls->key.empty()) return tls;
  throw Error(ErrorClass::kUsage, "`certificate` and `key` belong together")
      .at(options.given(tls->key.empty() ? "certificate" : "key")->place);
}

bool is_sensitive(const plan::Value& value) {
  return value.sensitive || std::ranges::any_of(value.items, is_sensitive) ||
         std::ranges::any_of(value.entries,
                             [](const auto& entry) { return is_sensitive(entry.second); });
}

/// https, or http to this machine. To another one http shows and takes everything, so nothing
/// secret goes there.
void check_way(engine::Context& context, const std::string& url, const Place& place, bool secret) {
  check_url(url, place);
  if (url.starts_with("https://") || is_of_this_machine(url)) return;
  if (secret)
    throw Error(ErrorClass::kUsage, "a secret would go to " + without_query(url) + " unencrypted")
        .at(place)
        .hint("use https; a server with a certificate of its own is trusted with `ca`");
  context.warn(without_query(url) + " is not encrypted: anybody on the way can read and change it",
               "use https");
}

}  // namespace

Exchange::Exchange(engine::Context& context, const plan::Value& options, const Exchange* other)
    : expectation_(options.given("expect")) {
  const plan::Value* url = options.given("url");
  const plan::Value* headers = options.given("headers");
  const plan::Value* body = options.given("body");
  method_ = options.given("method")->as_text();
  url_ = url ? url->as_text() : other->url_;
  tls_ = other ? other->tls_ : read_identity(context, options);
  if (headers) {
    for (const auto& [name, value] : headers->as_map())
      headers_[lower_case(name)] = value.as_text();
    secret_ = is_sensitive(*headers);
  } else if (other) {
    headers_ = other->headers_;
    headers_.erase("content-type");
    secret_ = other->secret_;
  }
  if (body) {
    const bool text = body->kind == plan::Value::Kind::kString;
    body_ = text ? body->as_text() : boost::json::serialize(body->to_json());
    if (!text) headers_.try_emplace("content-type", "application/json");
  }
  secret_ = secret_ || (body && is_sensitive(*body)) || (url && url->sensitive);
  if (url) check_way(context, url_, url->place, secret_);
}

Task<HttpResponse> Exchange::send(Http& http) const {
  HttpRequest request;
  request.method = method_;
  request.url = url_;
  request.headers = headers_;
  request.headers.try_emplace("user-agent", "blackstart/" BLACKSTART_VERSION);
  request.body = body_;
  request.tls = tls_;
  request.once = true;  // sent again by the engine alone, after a look
  request.body_limit = kBodyLimit;
  return http.send(std::move(request));
}

std::string Exchange::title() const { return method_ + " " + without_query(url_); }

std::vector<std::string> Exchange::details() const {
  std::vector<std::string> lines;
  for (const auto& [name, value] : headers_) lines.push_back("with header " + name);
  if (!body_.empty()) lines.push_back("with a body of " + count_of(body_.size(), "byte"));
  return lines;
}

std::vector<plan::OptionSpec> with_exchange_options(std::vector<plan::OptionSpec> first,
                                                    std::vector<plan::OptionSpec> last) {
  first.push_back({.name = "headers",
                   .type = plan::OptionType::kMap,
                   .summary = "HTTP headers; secrets from sensitive variables",
                   .fields = {{.name = plan::kAnyKey, .summary = "the value, a text"}}});
  first.push_back(expect_option());
  std::ranges::move(last, std::back_inserter(first));
  return first;
}

ErrorClass class_of(int status) {
  if (status == 401 || status == 403) return ErrorClass::kAuthentication;
  if (status == 429) return ErrorClass::kThrottled;
  return status == 408 || status >= 500 ? ErrorClass::kTransient : ErrorClass::kPermanent;
}

std::string excerpt(const HttpResponse& response) {
  std::string text(trim(response.body.substr(0, kExcerpt)));
  const bool binary = std::ranges::any_of(
      text, [](unsigned char c) { return c < ' ' && c != '\n' && c != '\t' && c != '\r'; });
  return binary ? std::string() : text;
}

}  // namespace blackstart::stages::http
