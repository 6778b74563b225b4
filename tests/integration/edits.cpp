#include "tests/integration/edits.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>

namespace blackstart::test {

namespace json = boost::json;

namespace {

json::value another(const json::value& value) {
  if (value.is_bool()) return json::value(!value.get_bool());
  if (value.is_int64()) return json::value(value.get_int64() + 1);
  if (value.is_double()) return json::value(value.get_double() + 1);
  if (value.is_string()) return json::value(std::string(value.get_string()) + "x");
  return json::value("x");
}

bool is_identity(const std::string& path) {
  return path == ".apiVersion" || path == ".kind" || path == ".metadata.name" ||
         path == ".metadata";
}

// Walks a copy of the object and takes a picture of the whole after each change of one value, which
// is then undone.
class Editor {
 public:
  explicit Editor(const json::value& object) : whole_(object) {}

  std::vector<Edit> take() {
    picture("nothing", "");
    children(whole_, "");
    return std::move(edits_);
  }

 private:
  void picture(const std::string& what, const std::string& path) {
    edits_.push_back({what + " " + path, whole_});
  }

  void with(json::value& value, json::value replacement, const char* what,
            const std::string& path) {
    std::swap(value, replacement);
    picture(what, path);
    std::swap(value, replacement);
  }

  void children(json::value& value, const std::string& path) {
    if (value.is_object()) {
      std::vector<std::string> names;
      for (const auto& [name, ignored] : value.get_object()) names.emplace_back(name);
      for (const std::string& name : names) member(value.get_object(), name, path + "." + name);
    }
    if (value.is_array()) items(value.get_array(), path);
  }

  void member(json::object& owner, const std::string& name, const std::string& path) {
    if (is_identity(path)) {
      if (path == ".metadata") children(owner[name], path);
      return;
    }
    const json::object before = owner;
    owner.erase(name);
    picture("drop", path);
    owner = before;
    value_at(owner[name], path);
  }

  void value_at(json::value& value, const std::string& path) {
    if (!value.is_null()) with(value, nullptr, "null", path);
    if (value.is_object()) with(value, json::object(), "empty", path);
    if (value.is_array()) with(value, json::array(), "empty", path);
    if (!value.is_structured()) with(value, another(value), "change", path);
    if (value.is_int64())
      with(value, json::value(std::to_string(value.get_int64())), "write as text", path);
    children(value, path);
  }

  void items(json::array& list, const std::string& path) {
    json::array reversed(list.rbegin(), list.rend());
    if (list.size() > 1) swapped(list, std::move(reversed), "reverse", path);
    for (size_t i = 0; i < list.size(); ++i) {
      json::array shorter = list;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
      const std::string at = path + "[" + std::to_string(i) + "]";
      swapped(list, std::move(shorter), "drop", at);
      value_at(list[i], at);
    }
    if (list.empty()) return;
    json::array longer = list;
    longer.push_back(json::value(list.back()));
    swapped(list, std::move(longer), "repeat the last of", path);
  }

  void swapped(json::array& list, json::array other, const char* what, const std::string& path) {
    list.swap(other);
    picture(what, path);
    list.swap(other);
  }

  json::value whole_;
  std::vector<Edit> edits_;
};

}  // namespace

std::vector<Edit> edits_of(const json::value& object) { return Editor(object).take(); }

}  // namespace blackstart::test
