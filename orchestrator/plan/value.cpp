#include "orchestrator/plan/value.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

namespace blackstart::plan {
namespace {

[[noreturn]] void throw_wrong_kind(const Value& value, const char* expected) {
  if (value.kind == Value::Kind::kUnknown) throw NotKnownYet{value.stage, value.text};
  throw Error(ErrorClass::kUsage,
              std::string("expected ") + expected + ", got " + value.kind_text())
      .at(value.place);
}

void append_canonical(const Value& value, std::string& out);

void append_map(const Value& value, std::string& out) {
  std::vector<const std::pair<std::string, Value>*> sorted;
  for (const auto& entry : value.entries) sorted.push_back(&entry);
  std::ranges::sort(sorted, {},
                    [](const auto* entry) -> const std::string& { return entry->first; });
  out += '{';
  for (const auto* entry : sorted) {
    if (entry != sorted.front()) out += ',';
    out += boost::json::serialize(boost::json::string_view(entry->first)) + ':';
    append_canonical(entry->second, out);
  }
  out += '}';
}

void append_canonical(const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::kNull: out += "null"; return;
    case Value::Kind::kBoolean: out += value.boolean ? "true" : "false"; return;
    case Value::Kind::kInteger: out += std::to_string(value.integer); return;
    case Value::Kind::kFloat:
      out += boost::json::serialize(boost::json::value(value.number));
      return;
    case Value::Kind::kString:
      out += boost::json::serialize(boost::json::string_view(value.text));
      return;
    case Value::Kind::kUnknown:
      out += "{\"unknown\":" +
             boost::json::serialize(boost::json::string_view(value.stage + "." + value.text)) + "}";
      return;
    case Value::Kind::kMap: append_map(value, out); return;
    case Value::Kind::kList:
      out += '[';
      for (const Value& item : value.items) {
        if (&item != value.items.data()) out += ',';
        append_canonical(item, out);
      }
      out += ']';
      return;
  }
}

Value number_of(const boost::json::value& json, Place place) {
  Value value;
  value.place = place;
  bool fits = json.is_int64() || (json.is_uint64() && json.get_uint64() <= INT64_MAX);
  value.kind = fits ? Value::Kind::kInteger : Value::Kind::kFloat;
  if (fits) {
    value.integer = json.to_number<int64_t>();
  } else {
    value.number = json.to_number<double>();
  }
  return value;
}

/// The value itself or the first part of it, in order, for which `holds`; or null.
template <class Test>
const Value* first(const Value& value, Test holds) {
  if (holds(value)) return &value;
  for (const Value& item : value.items) {
    if (const Value* found = first(item, holds)) return found;
  }
  for (const auto& [key, child] : value.entries) {
    if (const Value* found = first(child, holds)) return found;
  }
  return nullptr;
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  auto found = std::ranges::find(entries, key,
                                 [](const auto& entry) -> std::string_view { return entry.first; });
  return found == entries.end() ? nullptr : &found->second;
}

const Value* Value::given(std::string_view key) const {
  const Value* value = find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const char* Value::kind_name() const {
  switch (kind) {
    case Kind::kNull: return "null";
    case Kind::kBoolean: return "boolean";
    case Kind::kInteger: return "integer";
    case Kind::kFloat: return "number";
    case Kind::kString: return "string";
    case Kind::kList: return "list";
    case Kind::kMap: return "map";
    case Kind::kUnknown: return "value that is not known yet";
  }
  return "value";
}

std::string Value::kind_text() const {
  if (kind == Kind::kNull) return "null";
  return std::string(kind == Kind::kInteger ? "an " : "a ") + kind_name();
}

const std::string& Value::as_text() const {
  if (kind != Kind::kString) throw_wrong_kind(*this, "a string");
  return text;
}

int64_t Value::as_integer() const {
  if (kind != Kind::kInteger) throw_wrong_kind(*this, "an integer");
  return integer;
}

bool Value::as_boolean() const {
  if (kind != Kind::kBoolean) throw_wrong_kind(*this, "true or false");
  return boolean;
}

Duration Value::as_duration() const {
  auto duration = parse_duration(as_text());
  if (!duration) throw Error(ErrorClass::kUsage, "expected a duration like 90s or 5m").at(place);
  return *duration;
}

const std::vector<Value>& Value::as_list() const {
  if (kind != Kind::kList) throw_wrong_kind(*this, "a list");
  return items;
}

const std::vector<std::pair<std::string, Value>>& Value::as_map() const {
  if (kind != Kind::kMap) throw_wrong_kind(*this, "a map");
  return entries;
}

boost::json::value Value::to_json() const {
  switch (kind) {
    case Kind::kNull: return nullptr;
    case Kind::kBoolean: return boolean;
    case Kind::kInteger: return integer;
    case Kind::kFloat: return number;
    case Kind::kString: return boost::json::value(text);
    case Kind::kUnknown: throw NotKnownYet{stage, text};
    case Kind::kMap: {
      boost::json::object map;
      for (const auto& [key, value] : entries) map[key] = value.to_json();
      return map;
    }
    case Kind::kList: break;
  }
  boost::json::array list;
  for (const Value& item : items) list.push_back(item.to_json());
  return list;
}

const Value* Value::first_unknown() const {
  return first(*this, [](const Value& part) { return part.kind == Kind::kUnknown; });
}

const Value* Value::first_sensitive() const {
  return first(*this, [](const Value& part) { return part.sensitive; });
}

std::string Value::canonical() const {
  std::string out;
  append_canonical(*this, out);
  return out;
}

void Value::taint() {
  sensitive = true;
  for (Value& item : items) item.taint();
  for (auto& [key, value] : entries) value.taint();
}

Value Value::of(const boost::json::value& json, Place place) {
  Value value;
  value.place = place;
  switch (json.kind()) {
    case boost::json::kind::null: return value;
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_: return number_of(json, place);
    case boost::json::kind::bool_:
      value.kind = Kind::kBoolean;
      value.boolean = json.get_bool();
      return value;
    case boost::json::kind::string:
      value.kind = Kind::kString;
      value.text = std::string(json.get_string());
      return value;
    case boost::json::kind::array:
      value.kind = Kind::kList;
      for (const auto& item : json.get_array()) value.items.push_back(of(item, place));
      return value;
    case boost::json::kind::object:
      value.kind = Kind::kMap;
      for (const auto& entry : json.get_object()) {
        value.entries.emplace_back(std::string(entry.key()), of(entry.value(), place));
      }
      return value;
  }
  return value;
}

}  // namespace blackstart::plan
