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
  for (size_t i = 0; i < applied.size(); ++i)
    if (applied[i].made) list[i].get_object()["made"] = *applied[i].made;
  return json::serialize(list) + "\n";
}

Applied applied_of(const json::value& value) {
  auto text = [&value](const char* key) { return kube::text_at(value, {key}); };
  const json::value* made = kube::find(value, {"made"});
  return {{text("apiVersion"), text("kind"), text("namespace"), text("name")},
          text("uid"),
          made && made->is_bool() ? std::optional(made->get_bool()) : std::nullopt};
}

std::string uid_of(const json::value& object) { return kube::text_at(object, {"metadata", "uid"}); }

/// Does the entry of managedFields speak of the object itself? Controllers write what they report
/// of it: as a subresource, or where the kind has none as fields of `status` alone.
bool is_about_the_object(const json::value& entry) {
  if (!kube::text_at(entry, {"subresource"}).empty()) return false;
  const auto* fields = kube::find(entry, {"fieldsV1"});
  const auto* set = fields ? fields->if_object() : nullptr;
  return !set || set->size() != 1 || !set->contains("f:status");
}

/// What managedFields tell of who made an object. An entry's time is that of its last write, in
/// seconds: only that of a maker may be as old as the object.
struct Makers {
  Makers(const json::value& object, std::string_view manager) {
    const std::string created = kube::text_at(object, {"metadata", "creationTimestamp"});
    for (const auto& entry : kube::list_at(object, {"metadata", "managedFields"})) {
      if (!is_about_the_object(entry)) continue;
      const bool own = kube::text_at(entry, {"manager"}) == manager;
      // RFC 3339 in UTC compares as text. The entry is stamped a moment before the object is.
      const bool as_old = kube::text_at(entry, {"time"}) <= created;
      (own ? wrote : others_wrote) = true;
      if (as_old) (own ? from_the_start : others_from_the_start) = true;
    }
  }
  bool wrote = false, from_the_start = false;
  bool others_wrote = false, others_from_the_start = false;
};

}  // namespace

bool made_by(const json::value& object, std::string_view manager) {
  const Makers makers(object, manager);
  if (!makers.others_wrote) return makers.wrote;
  return makers.from_the_start && !makers.others_from_the_start;
}

Applied about_to_apply(const kube::ObjectRef& ref, const json::value& live, const Applied* known) {
  if (live.is_null()) return {ref, "", true};
  if (known && known->uid == uid_of(live)) return {ref, known->uid, known->made};
  return {ref, uid_of(live), false};
}

Applied seen_again(const kube::ObjectRef& ref, const json::value& live, const Applied* known,
                   std::string_view field_manager) {
  if (!known) return {ref, uid_of(live), std::nullopt};
  if (known->uid == uid_of(live)) return {ref, known->uid, known->made};
  // It was not there when we set out to apply it, or was to be made anew. An apply of nothing but
  // a name leaves no entry, and a controller may write within the second of ours.
  const Makers makers(live, field_manager);
  const bool ours = makers.from_the_start || (!makers.wrote && !makers.others_wrote);
  return {ref, uid_of(live), known->made ? std::optional(*known->made && ours) : std::nullopt};
}

bool made_here(const Applied& applied, const json::value& live, std::string_view field_manager) {
  return applied.made ? *applied.made : made_by(live, field_manager);
}

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
