#include "stages/helm/release_record.h"

#include <zlib.h>

#include <boost/json/parse.hpp>
#include <charconv>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "orchestrator/kube/object.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

// A Secret holds at most 1 MiB; text packs about tenfold, and more than this is no release.
constexpr size_t kUnpackedLimit = 128u << 20;

std::optional<std::string> gunzip(std::string_view packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  std::string chunk(64 * 1024, '\0');
  int state = Z_OK;
  while (state == Z_OK && plain.size() < kUnpackedLimit) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    state = inflate(&stream, Z_NO_FLUSH);
    plain.append(chunk, 0, chunk.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END ? std::optional(std::move(plain)) : std::nullopt;
}

/// Kubernetes' base64 around Helm's base64 around gzip (old releases: plain JSON).
std::optional<std::string> unpack(const std::string& data) {
  auto outer = base64_decode(data);
  if (!outer) return std::nullopt;
  auto inner = base64_decode(*outer);
  if (!inner) return std::nullopt;
  return inner->starts_with("\x1f\x8b") ? gunzip(*inner) : inner;
}

json::value object_at(const json::value& release, std::initializer_list<std::string_view> path) {
  const json::value* found = kube::find(release, path);
  return found != nullptr && found->is_object() ? *found : json::value(json::object());
}

void add_files(const json::value* list, std::map<std::string, std::string>& files) {
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& file : list->get_array()) {
    auto text = base64_decode(kube::text_at(file, {"data"}));
    files[kube::text_at(file, {"name"})] = text.value_or(std::string());
  }
}

/// Helm's own stamps are seconds since 1970 in labels; a record it has not touched since has
/// "createdAt".
WallTime modified_at(const json::value& secret) {
  int64_t seconds = 0;
  for (const char* label : {"modifiedAt", "createdAt"}) {
    std::string text = kube::text_at(secret, {"metadata", "labels", label});
    int64_t stamp = 0;
    std::from_chars(text.data(), text.data() + text.size(), stamp);
    seconds = std::max(seconds, stamp);
  }
  return WallTime(std::chrono::seconds(seconds));
}

Release read_release(const json::value& body) {
  Release release;
  release.revision = kube::number_at(body, {"version"});
  release.status = kube::text_at(body, {"info", "status"});
  release.description = kube::text_at(body, {"info", "description"});
  release.chart = kube::text_at(body, {"chart", "metadata", "name"});
  release.version = kube::text_at(body, {"chart", "metadata", "version"});
  release.manifest = kube::text_at(body, {"manifest"});
  for (const json::value& hook : kube::list_at(body, {"hooks"}))
    release.hooks += "---\n" + kube::text_at(hook, {"manifest"}) + "\n";
  release.config = object_at(body, {"config"});
  release.chart_values = object_at(body, {"chart", "values"});
  add_files(kube::find(body, {"chart", "templates"}), release.files);
  add_files(kube::find(body, {"chart", "files"}), release.files);
  return release;
}

}  // namespace

Release decode_release(const json::value& secret) {
  std::string name = kube::text_at(secret, {"metadata", "name"});
  json::parse_options options;
  options.max_depth = 512;
  json::error_code failed;
  json::value body;
  auto text = unpack(kube::text_at(secret, {"data", "release"}));
  if (text) body = json::parse(*text, failed, {}, options);
  if (!text || failed || !body.is_object()) {
    throw Error(ErrorClass::kPermanent, "Secret " +
                                            kube::text_at(secret, {"metadata", "namespace"}) + "/" +
                                            name + " holds no Helm release")
        .hint(
            "was it written by something other than helm? remove it if the release is not needed");
  }
  Release release = read_release(body);
  release.secret = std::move(name);
  release.modified = modified_at(secret);
  return release;
}

const Release* newest(const std::vector<Release>& releases) {
  auto last =
      std::max_element(releases.begin(), releases.end(),
                       [](const Release& a, const Release& b) { return a.revision < b.revision; });
  return last == releases.end() ? nullptr : &*last;
}

const Release* last_good(const std::vector<Release>& releases, int64_t before) {
  const Release* found = nullptr;
  for (const Release& release : releases) {
    bool good = release.deployed() || release.status == "superseded";
    if (good && release.revision < before &&
        (found == nullptr || release.revision > found->revision))
      found = &release;
  }
  return found;
}

}  // namespace blackstart::stages::helm
