#include <algorithm>

#include "orchestrator/plan/conform.h"
#include "orchestrator/plan/plan.h"

namespace blackstart::plan {
namespace {

constexpr size_t kBytesMax = 256u << 20;
constexpr size_t kEntriesMax = 100'000;
constexpr int kDepthMax = 64;

/// Digests the files and folders that options name, so that the same content gives the same digest
/// wherever the plan's folder is.
class ContentDigest {
 public:
  explicit ContentDigest(const Files& files) : files_(files) {}

  std::string of(const std::string& path) {
    Sha256 digest;
    add(path, digest, 0);
    return digest.hex();
  }

 private:
  void add(const std::string& path, Sha256& digest, int depth) {
    if (depth > kDepthMax)
      fail(path, "folders are nested more than 64 deep; a link may lead back up");
    if (++entries_ > kEntriesMax) fail(path, "more than 100,000 files and folders");
    switch (files_.kind(path)) {
      case FileKind::kMissing: return digest.update("missing;");
      case FileKind::kOther: return digest.update("other;");
      case FileKind::kFile: return add_file(path, digest);
      case FileKind::kFolder: break;
    }
    std::vector<std::string> names = files_.list(path);
    std::ranges::sort(names);
    digest.update("folder;");
    for (const std::string& name : names) {
      if (name == ".git") continue;
      digest.update(std::to_string(name.size()) + ":" + name + ";");
      add(path + "/" + name, digest, depth + 1);
    }
    digest.update("end;");
  }

  void add_file(const std::string& path, Sha256& digest) {
    std::string content = files_.read(path, kBytesMax);
    bytes_ += content.size();
    if (bytes_ > kBytesMax) fail(path, "more than 256 MiB");
    digest.update("file:" + std::to_string(content.size()) + ";");
    digest.update(content);
  }

  [[noreturn]] static void fail(const std::string& path, const std::string& why) {
    throw Error(ErrorClass::kUsage, "the stage's input is too large to be compared: " + why)
        .because("at " + path)
        .hint("name a smaller folder");
  }

  const Files& files_;
  size_t bytes_ = 0;
  size_t entries_ = 0;
};

void replace_path(Value& value, ContentDigest& contents) {
  if (value.kind != Value::Kind::kString) return;
  std::string name = value.text.substr(value.text.rfind('/') + 1);
  value.text = "path:" + name + ":" + contents.of(value.text);
}

void replace_paths(Value& value, const OptionSpec& spec, ContentDigest& contents);

void replace_paths(Value& map, const std::vector<OptionSpec>& specs, ContentDigest& contents) {
  for (auto& [key, value] : map.entries) {
    const OptionSpec* spec = find_option(specs, key);
    if (spec != nullptr) replace_paths(value, *spec, contents);
  }
}

void replace_paths(Value& value, const OptionSpec& spec, ContentDigest& contents) {
  if (spec.type == OptionType::kPath) replace_path(value, contents);
  if (spec.type == OptionType::kMap) replace_paths(value, spec.fields, contents);
  if (spec.type != OptionType::kList || spec.fields.empty()) return;
  for (Value& item : value.items) replace_paths(item, spec.fields.front(), contents);
}

}  // namespace

std::string input_digest(const Value& options, const StageSchema& schema, const Files& files) {
  Value inputs = options;
  ContentDigest contents(files);
  replace_paths(inputs, schema.options, contents);
  return sha256_hex(schema.name + "\n" + inputs.canonical());
}

}  // namespace blackstart::plan
