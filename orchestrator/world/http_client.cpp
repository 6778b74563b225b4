#include <boost/asio/this_coro.hpp>

#include "orchestrator/world/async.h"
#include "orchestrator/world/http_multi.h"
#include "orchestrator/world/http_transfer.h"
#include "orchestrator/world/http_url.h"
#include "orchestrator/world/real_parts.h"

namespace blackstart::real {
namespace {

namespace asio = boost::asio;
using Identity = std::shared_ptr<const TlsIdentity>;

// Once for the process, before the first handle.
void initialise_curl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

// A transfer's place in its multi; gives it up whatever happens.
struct Running {
  Running(std::shared_ptr<HttpMulti> pool, CURL* handle) : multi(std::move(pool)), easy(handle) {
    multi->add(easy);
  }
  ~Running() { multi->remove(easy); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  std::shared_ptr<HttpMulti> multi;
  CURL* easy;
};

// nullopt when it is out of time.
Task<std::optional<CURLcode>> perform(HttpTransfer& transfer, std::shared_ptr<HttpMulti> multi,
                                      Clock& clock) {
  std::optional<CURLcode> result;
  Executor executor = co_await asio::this_coro::executor;
  Event ended(executor);
  transfer.on_end = [&](CURLcode code) {
    result = code;
    ended.set();
  };
  Running running(multi, transfer.easy());
  while (!result && clock.now() < transfer.gives_up_at())
    co_await wait_until(clock, transfer.look_again_at(), ended);
  co_return result;
}

class RealHttp final : public Http {
 public:
  RealHttp(asio::io_context& loop, Clock& clock, const Environment& environment)
      : loop_(loop), clock_(clock), environment_(environment) {
    initialise_curl();
  }

  Task<HttpResponse> send(HttpRequest request) override {
    co_await throw_if_cancelled();
    if (!request.tls) request.tls = nobody_;
    Identity identity = request.tls;
    std::shared_ptr<HttpMulti> multi = connection_for(identity);
    ProxySettings proxy = proxy_for(request);
    HttpTransfer transfer(easy_handles_, clock_, std::move(request), std::move(proxy));
    std::optional<CURLcode> result = co_await perform(transfer, multi, clock_);
    // What fell silent under one request would under the next: those get a new connection.
    if (!result) std::erase(connections_[identity], multi);
    co_return transfer.finish(result.value_or(CURLE_OPERATION_TIMEDOUT));
  }

 private:
  // Each identity has connections of its own, so that none is ever used under another one. A multi
  // takes no more requests than are meant for one HTTP/2 connection; given more, curl would open a
  // connection for nearly each of them.
  std::shared_ptr<HttpMulti> connection_for(const Identity& identity) {
    std::erase_if(connections_, [](const auto& entry) { return entry.first.expired(); });
    auto& multis = connections_[identity];
    for (const auto& multi : multis) {
      if (multi->running() < HttpMulti::kStreamsPerConnection) return multi;
    }
    return multis.emplace_back(std::make_shared<HttpMulti>(loop_));
  }

  std::string first_of(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      auto value = environment_.get(name);
      if (value && !value->empty()) return *value;
    }
    return {};
  }

  // As Go's tools do it, a SOCKS proxy resolves the names.
  static std::string for_curl(const std::string& proxy) {
    constexpr std::string_view kSocks = "socks5://";
    return proxy.starts_with(kSocks) ? "socks5h://" + proxy.substr(kSocks.size())
                                     : proxy_url(proxy);
  }

  ProxySettings proxy_for(const HttpRequest& request) const {
    if (!request.tls->proxy.empty()) return {for_curl(request.tls->proxy), "", false};
    bool secure = request.url.starts_with("https:");
    std::string url =
        secure ? first_of({"HTTPS_PROXY", "https_proxy"}) : first_of({"HTTP_PROXY", "http_proxy"});
    if (url.empty()) return {};
    // As Go's tools do: a proxy from the environment is never asked for this machine itself.
    std::string except = "localhost,127.0.0.0/8,::1";
    if (std::string named = first_of({"NO_PROXY", "no_proxy"}); !named.empty())
      except += "," + named;
    return {for_curl(url), except, true};
  }

  using Connections =
      std::map<std::weak_ptr<const TlsIdentity>, std::vector<std::shared_ptr<HttpMulti>>,
               std::owner_less<std::weak_ptr<const TlsIdentity>>>;

  asio::io_context& loop_;
  Clock& clock_;
  const Environment& environment_;
  Identity nobody_ = std::make_shared<const TlsIdentity>();
  std::shared_ptr<EasyPool> easy_handles_ = std::make_shared<EasyPool>();
  Connections connections_;
};

}  // namespace

std::unique_ptr<Http> make_http(asio::io_context& loop, Clock& clock,
                                const Environment& environment) {
  return std::make_unique<RealHttp>(loop, clock, environment);
}

}  // namespace blackstart::real
