#include "stages/http/exchange.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "stages/web.h"

namespace blackstart::stages::http {
namespace {

constexpr size_t kFileLimit = 1u << 20;
constexpr size_t kBodyLimit = 8u << 20;  // of an answer
constexpr size_t kExcerpt = 500;
// Who changes something may think about it for long; a proxy before it gives up after a minute.
constexpr Duration kWriteFirstByte = std::chrono::seconds(65);
constexpr Duration kWriteTotal = std::chrono::seconds(90);

std::string read_if(engine::Context& context, const plan::Value& options, const char* name) {
  const plan::Value* path = options.given(name);
  if (!path) return {};
  std::string text = context.world().files.read(path->as_text(), kFileLimit);
  if (trim(text).empty())
    throw Error(ErrorClass::kUsage, path->as_text() + " is empty").at(path->place);
  return text;
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

/// Of a request, and not of a question about it: what it holds, and under which condition.
bool is_about_the_request(const std::string& header) {
  return header.starts_with("content-") || header.starts_with("if-");
}

}  // namespace

bool only_reads(const std::string& method) { return method == "GET" || method == "HEAD"; }

bool is_idempotent(const std::string& method) {
  return only_reads(method) || method == "PUT" || method == "DELETE";
}

Exchange::Exchange(engine::Context& context, const plan::Value& options)
    : place_(options.given("url")->place),
      method_(options.given("method")->as_text()),
      url_(options.given("url")->as_text()),
      secret_(options.given("url")->sensitive),
      tls_(read_identity(context, options)),
      expectation_(options.given("expect"), method_) {
  read_headers(options);
  read_body(options);
  check_way(context);
}

Exchange::Exchange(engine::Context& context, const plan::Value& options, const Exchange& request)
    : place_(request.place_),
      method_(options.given("method")->as_text()),
      url_(request.url_),
      secret_(request.secret_),
      expectation_(options.given("expect"), method_) {
  if (const plan::Value* url = options.given("url")) {
    place_ = url->place;
    url_ = url->as_text();
    check_url(url_, place_);
    secret_ = url->sensitive;
  }
  if (origin_of(url_) == origin_of(request.url_)) {
    tls_ = request.tls_;
    headers_ = request.headers_;
    std::erase_if(headers_, [](const auto& header) { return is_about_the_request(header.first); });
    secret_ = secret_ || request.secret_;
  }
  read_headers(options);
  check_way(context);
}

void Exchange::read_headers(const plan::Value& options) {
  const plan::Value* headers = options.given("headers");
  if (!headers) return;
  for (const auto& [name, value] : headers->as_map()) {
    const std::string line = name + value.as_text();
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos)
      throw Error(ErrorClass::kUsage, "the header " + name + " holds a line break").at(value.place);
    headers_[lower_case(name)] = value.as_text();
  }
  secret_ = secret_ || headers->first_sensitive() != nullptr;
}

void Exchange::read_body(const plan::Value& options) {
  const plan::Value* body = options.given("body");
  if (!body) return;
  if (only_reads(method_))
    throw Error(ErrorClass::kUsage, method_ + " has no `body`").at(body->place);
  const bool text = body->kind == plan::Value::Kind::kString;
  body_ = text ? body->as_text() : boost::json::serialize(body->to_json());
  if (!text) headers_.try_emplace("content-type", "application/json");
  secret_ = secret_ || body->first_sensitive() != nullptr;
}

/// To another machine http shows and takes everything: nothing secret goes there.
void Exchange::check_way(engine::Context& context) const {
  check_url(url_, place_);
  if (url_.starts_with("https://") || is_of_this_machine(url_)) return;
  if (secret_)
    throw Error(ErrorClass::kUsage, "a secret would go to " + without_query(url_) + " unencrypted")
        .at(place_)
        .hint("use https; a server with a certificate of its own is trusted with `ca`");
  context.shared().get_or_make<bool>("unencrypted " + origin_of(url_), [&] {
    context.warn(origin_of(url_) + " is not encrypted: anybody on the way can read and change it",
                 "use https");
    return std::make_shared<bool>(true);
  });
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
  if (!only_reads(method_)) {
    request.first_byte_timeout = kWriteFirstByte;
    request.total_timeout = kWriteTotal;
  }
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
                   .summary = "HTTP headers; secrets from sensitive variables; a check on the same "
                              "server has those of the request as well",
                   .fields = {{.name = plan::kAnyKey, .summary = "the value, a text"}}});
  first.push_back(expect_option());
  std::ranges::move(last, std::back_inserter(first));
  return first;
}

std::string excerpt(const HttpResponse& response) {
  std::string text(trim(response.body.substr(0, kExcerpt)));
  const bool binary = std::ranges::any_of(
      text, [](unsigned char c) { return c < ' ' && c != '\n' && c != '\t' && c != '\r'; });
  return binary ? std::string() : text;
}

}  // namespace blackstart::stages::http
