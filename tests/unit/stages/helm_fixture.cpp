#include "tests/unit/stages/helm_fixture.h"

#include <zlib.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "orchestrator/base/text.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

std::string gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib");
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

json::object file(const std::string& name, const std::string& text) {
  return {{"name", name}, {"data", base64_encode(text)}};
}

}  // namespace

json::value release_secret(int revision, const std::string& status, const std::string& config,
                           const std::string& description, const std::string& manifest,
                           int64_t modified) {
  json::object chart{{"metadata", {{"name", "web"}, {"version", "1.0.0"}}},
                     {"templates", json::array{file("templates/a.yaml", "kind: ConfigMap\n")}},
                     {"files", json::array{file("crds/b.yaml", "kind: X\n")}},
                     {"values", {{"web", {{"port", 8080}}}}}};
  json::object body{{"name", "web"},
                    {"info", {{"status", status}, {"description", description}}},
                    {"chart", std::move(chart)},
                    {"config", json::parse(config)},
                    {"manifest", manifest},
                    {"version", revision}};
  std::string release = base64_encode(base64_encode(gzip(json::serialize(body))));
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
