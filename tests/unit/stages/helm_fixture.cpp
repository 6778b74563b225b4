#include "tests/unit/stages/helm_fixture.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "orchestrator/base/text.h"
#include "tests/support/gzip.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

json::object file(const std::string& name, const std::string& text) {
  return {{"name", name}, {"data", base64_encode(text)}};
}

}  // namespace

json::value release_secret(int revision, const std::string& status, const std::string& config,
                           const std::string& description, const std::string& manifest,
                           int64_t modified, const std::string& hook) {
  json::object chart{{"metadata", {{"name", "web"}, {"version", "1.0.0"}}},
                     {"templates", json::array{file("templates/a.yaml", "kind: ConfigMap\n")}},
                     {"files", json::array{file("crds/b.yaml", "kind: X\n")}},
                     {"values", {{"web", {{"port", 8080}}}}}};
  json::object body{{"name", "web"},
                    {"info", {{"status", status}, {"description", description}}},
                    {"chart", std::move(chart)},
                    {"config", json::parse(config)},
                    {"manifest", manifest},
                    {"hooks", json::array{json::object{{"manifest", hook}}}},
                    {"version", revision}};
  std::string release = base64_encode(base64_encode(test::gzip(json::serialize(body))));
  return json::object{{"apiVersion", "v1"},
                      {"kind", "Secret"},
                      {"metadata",
                       {{"name", "sh.helm.release.v1.web.v" + std::to_string(revision)},
                        {"namespace", "web"},
                        {"labels",
                         {{"owner", "helm"},
                          {"name", "web"},
                          {"status", status},
                          {"createdAt", "1600000000"},
                          {"modifiedAt", std::to_string(modified)}}}}},
                      {"data", {{"release", release}}}};
}

}  // namespace blackstart::stages::helm
