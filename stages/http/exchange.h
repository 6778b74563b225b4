// One request as the plan has it, and what its answer must be.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/engine/context.h"
#include "stages/http/expectation.h"

namespace blackstart::stages::http {

/// RFC 9110, 9.2.1: it changes nothing.
bool only_reads(const std::string& method);
/// RFC 9110, 9.2.2: sent twice it has the effect of once.
bool is_idempotent(const std::string& method);

class Exchange {
 public:
  /// Reads `options` as with_exchange_options() declares them. Warns of what can be read on the
  /// way. Throws Error(kUsage) at the place, Error(kPermanent) for a file that cannot be read.
  Exchange(engine::Context& context, const plan::Value& options);
  /// The same for a question about `request`: it goes to the same URL if it names none, and on the
  /// same server has the same credentials.
  Exchange(engine::Context& context, const plan::Value& options, const Exchange& request);

  /// Throws as Http::send does. Redirects are not followed.
  Task<HttpResponse> send(Http& http) const;

  const Expectation& expectation() const { return expectation_; }
  /// "PUT https://example.com/a"; the query may hold a secret, and is left out.
  std::string title() const;
  /// For the plan: names of headers and the size of the body, never what they hold.
  std::vector<std::string> details() const;
  const Place& place() const { return place_; }

 private:
  void read_headers(const plan::Value& options);
  void read_body(const plan::Value& options);
  void check_way(engine::Context& context) const;

  Place place_;  // of the URL
  std::string method_, url_, body_;
  bool secret_ = false;  // some of it is
  std::map<std::string, std::string> headers_;
  std::shared_ptr<const TlsIdentity> tls_;
  Expectation expectation_;
};

/// `first`, then what every exchange has (headers, expect), then `last`.
std::vector<plan::OptionSpec> with_exchange_options(std::vector<plan::OptionSpec> first,
                                                    std::vector<plan::OptionSpec> last);

/// The beginning of an answer's body, for error texts; "" for what is no text.
std::string excerpt(const HttpResponse& response);

}  // namespace blackstart::stages::http
