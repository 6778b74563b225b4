#include "orchestrator/kube/object.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "orchestrator/base/text.h"

namespace blackstart::kube {

namespace json = boost::json;

std::string ObjectRef::to_string() const {
  std::string text = kind;
  if (!name.empty() || !name_space.empty()) text += ' ';
  if (!name_space.empty()) text += name_space + '/';
  return text + name;
}

std::string ObjectRef::group() const {
  const size_t slash = api_version.find('/');
  return slash == std::string::npos ? std::string() : api_version.substr(0, slash);
}

ObjectRef ObjectRef::without_version() const { return {group(), kind, name_space, name}; }

ObjectRef ref_of(const json::value& object) {
  return {text_at(object, {"apiVersion"}), text_at(object, {"kind"}),
          text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
}

const json::value* find(const json::value& object, std::initializer_list<std::string_view> path) {
  const json::value* here = &object;
  for (const std::string_view key : path) {
    const json::object* fields = here->if_object();
    here = fields ? fields->if_contains(key) : nullptr;
    if (!here) return nullptr;
  }
  return here;
}

std::string text_at(const json::value& object, std::initializer_list<std::string_view> path,
                    std::string_view fallback) {
  const json::value* value = find(object, path);
  if (!value || !value->is_string()) return std::string(fallback);
  return std::string(value->get_string());
}

int64_t number_at(const json::value& object, std::initializer_list<std::string_view> path,
                  int64_t fallback) {
  const json::value* value = find(object, path);
  if (!value) return fallback;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return static_cast<int64_t>(value->get_uint64());
  return value->is_double() ? static_cast<int64_t>(value->get_double()) : fallback;
}

bool flag_at(const json::value& object, std::initializer_list<std::string_view> path,
             bool fallback) {
  const json::value* value = find(object, path);
  return value && value->is_bool() ? value->get_bool() : fallback;
}

const json::array& list_at(const json::value& object,
                           std::initializer_list<std::string_view> path) {
  static const json::array kNone;
  const json::value* found = find(object, path);
  return found && found->is_array() ? found->get_array() : kNone;
}

namespace {

// A value that is no string is left in stringData: the server says what is wrong with it.
void fold_string_data(json::object& secret) {
  json::value* plain = secret.if_contains("stringData");
  if (!plain || !plain->is_object()) return;
  for (const auto& [key, value] : plain->get_object()) {
    if (!value.is_string()) return;
  }
  json::object folded = std::move(plain->get_object());
  secret.erase("stringData");
  json::value& data = secret["data"];
  if (!data.is_object()) data = json::object();
  for (const auto& [key, value] : folded) {
    data.get_object()[key] = base64_encode(std::string_view(value.get_string()));
  }
}

}  // namespace

json::value desired_form(json::value object) {
  json::object* fields = object.if_object();
  if (!fields) return object;
  if (json::value* metadata = fields->if_contains("metadata"); metadata && metadata->is_object()) {
    for (const char* key :
         {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp",
          "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}) {
      metadata->get_object().erase(key);
    }
  }
  if (text_at(object, {"kind"}) == "Secret" && text_at(object, {"apiVersion"}) == "v1") {
    fold_string_data(*fields);
  }
  return object;
}

}  // namespace blackstart::kube
