// docs/events.schema.json is what readers of the stream rely on: it must say exactly what is sent.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>
#include <sstream>

#include "orchestrator/events/ndjson_sink.h"
#include "tests/unit/events/collecting.h"

namespace blackstart::events {
namespace {

namespace json = boost::json;

json::object schema() {
  std::ifstream in(SOURCE_FOLDER "/docs/events.schema.json");
  std::ostringstream text;
  text << in.rdbuf();
  return json::parse(text.str()).as_object();
}

std::set<std::string> names_of(const json::array& list) {
  std::set<std::string> names;
  for (const json::value& name : list) names.insert(name.as_string().c_str());
  return names;
}

struct FieldTypes {
  std::map<std::string, std::string>& types;
  void operator()(const char* name, const std::string&) const { types[name] = "string"; }
  void operator()(const char* name, const std::vector<std::string>&) const {
    types[name] = "array";
  }
  void operator()(const char* name, int64_t) const { types[name] = "integer"; }
  void operator()(const char* name, bool) const { types[name] = "boolean"; }
};

TEST(EventSchema, DescribesEveryFieldOfEveryPayloadAndNothingElse) {
  json::object definitions = schema().at("definitions").as_object();
  std::set<std::string> sent;
  for (const Payload& payload : every_payload("x", "x")) {
    std::string type = type_of(payload);
    sent.insert(type);
    ASSERT_TRUE(definitions.contains(type)) << type;
    const json::object& definition = definitions.at(type).as_object();
    const json::object& properties = definition.at("properties").as_object();
    std::map<std::string, std::string> fields;
    visit_fields(payload, FieldTypes{fields});
    std::set<std::string> names = {"type"};
    for (const auto& [name, field_type] : fields) {
      names.insert(name);
      ASSERT_TRUE(properties.contains(name)) << type << "." << name;
      EXPECT_EQ(properties.at(name).at("type").as_string(), field_type) << type << "." << name;
    }
    EXPECT_EQ(properties.at("type").at("const").as_string(), type);
    EXPECT_EQ(names_of(definition.at("required").as_array()), names) << type;
    EXPECT_EQ(properties.size(), names.size()) << type;
  }
  EXPECT_EQ(definitions.size(), sent.size());
  EXPECT_EQ(schema().at("oneOf").as_array().size(), sent.size());
}

TEST(EventSchema, EveryLineHasTheHeadThatTheSchemaDemands) {
  std::string text;
  ManualClock clock;
  Bus bus(clock);
  bus.add_sink(std::make_unique<NdjsonSink>(into(text)));
  const std::string awkward = "quote \" backslash \\ break \n end";
  for (Payload& payload : every_payload(awkward, awkward)) bus.publish(std::move(payload));
  std::set<std::string> head = names_of(schema().at("required").as_array());
  std::istringstream lines(text);
  int64_t sequence = 0;
  for (std::string line; std::getline(lines, line);) {
    json::object event = json::parse(line).as_object();
    for (const std::string& name : head) EXPECT_TRUE(event.contains(name)) << name;
    EXPECT_EQ(event.at("schema"), schema().at("properties").at("schema").at("const"));
    EXPECT_EQ(event.at("seq").as_int64(), ++sequence);
    EXPECT_EQ(event.at("ts").as_string(), "2026-01-02T04:04:05.000Z");
  }
  EXPECT_EQ(sequence, 11);
}

TEST(NdjsonSink, StopsAndSaysSoOnceWhenALineCannotBeWritten) {
  int written = 0;
  int told = 0;
  ManualClock clock;
  Bus bus(clock);
  auto full_disk = [&written](std::string_view) { return ++written < 2; };
  bus.add_sink(std::make_unique<NdjsonSink>(full_disk, [&told] { ++told; }));
  for (int i = 0; i < 5; ++i) bus.publish(Waiting{"a", "b"});
  EXPECT_EQ(written, 2);
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace blackstart::events
