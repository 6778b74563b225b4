#include "stages/kube/applied.h"

#include <boost/json.hpp>

#include "orchestrator/world/failpoint.h"

namespace blackstart::stages {
namespace {

namespace json = boost::json;

constexpr size_t kSizeLimit = 64u << 20;

std::string file_of(engine::Context& context) { return context.folder() + "/applied.json"; }

std::string to_text(const std::vector<Applied>& applied) {
  json::array list;
  for (const Applied& one : applied)
    list.push_back(json::object{{"apiVersion", one.ref.api_version},
                                {"kind", one.ref.kind},
                                {"namespace", one.ref.name_space},
                                {"name", one.ref.name},
                                {"uid", one.uid}});
  return json::serialize(list) + "\n";
}

Applied applied_of(const json::value& value) {
  auto text = [&value](const char* key) { return kube::text_at(value, {key}); };
  return {{text("apiVersion"), text("kind"), text("namespace"), text("name")}, text("uid")};
}

}  // namespace

std::optional<std::vector<Applied>> read_applied(engine::Context& context) {
  const Files& files = context.world().files;
  const std::string file = file_of(context);
  if (files.kind(file) != FileKind::kFile) return std::nullopt;
  boost::system::error_code damaged;
  json::value list = json::parse(files.read(file, kSizeLimit), damaged);
  if (damaged || !list.is_array()) return std::nullopt;
  std::vector<Applied> applied;
  for (const json::value& value : list.get_array()) applied.push_back(applied_of(value));
  return applied;
}

Task<void> remember_applied(engine::Context& context, const std::vector<Applied>& applied) {
  if (context.read_only || read_applied(context) == applied) co_return;
  BLACKSTART_FAILPOINT("applied.write.before");
  context.world().files.write(file_of(context), to_text(applied));
  BLACKSTART_FAILPOINT("applied.write.after");
}

}  // namespace blackstart::stages
