#include "orchestrator/base/yaml.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace blackstart::yaml {
namespace {

std::string findings_of(const Diagnostics& diagnostics) {
  std::string text;
  for (const Diagnostic& finding : diagnostics.sorted()) {
    text += finding.place.to_string() + ": " + finding.message + "\n";
  }
  return text;
}

std::string findings(const std::string& text, const Limits& limits = {}) {
  Diagnostics diagnostics;
  parse(text, "f", limits, diagnostics);
  return findings_of(diagnostics);
}

/// All documents as JSON, one a line; the findings instead when there are any.
std::string read(const std::string& text, const Limits& limits = {}) {
  Diagnostics diagnostics;
  std::string result;
  for (const Node& node : parse(text, "f", limits, diagnostics)) {
    result += boost::json::serialize(to_json(node)) + "\n";
  }
  return diagnostics.empty() ? result : findings_of(diagnostics);
}

TEST(Yaml, DocumentsAndCollections_AreRead) {
  EXPECT_EQ(read("a: [1, {b: c}]\nd:\n- e\n"), "{\"a\":[1,{\"b\":\"c\"}],\"d\":[\"e\"]}\n");
  EXPECT_EQ(read("a: 1\n---\n---\nb: 2\n"), "{\"a\":1}\nnull\n{\"b\":2}\n");
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a: 1\r\nb: 2\r\n"),
            "{\"a\":1,\"b\":2}\n");
  EXPECT_EQ(read("a: |\n  x\n   y\nb: >-\n  x\n  y\n"), "{\"a\":\"x\\n y\\n\",\"b\":\"x y\"}\n");
}

TEST(Yaml, Keys_BecomeStringsAsKubernetesToolsMakeThem) {
  EXPECT_EQ(read("yes: 1\n0x10: 2\n1.50: 3\n1e7: 4\n'no': 5\n2001-01-01: 6\n"),
            "{\"true\":1,\"16\":2,\"1.5\":3,\"1e+07\":4,\"no\":5,\"2001-01-01\":6}\n");
}

TEST(Yaml, MergeKeys_BehaveAsInKubectl) {
  EXPECT_EQ(read("x: &x {a: 1, b: 2}\nz: {<<: *x, a: 9}\n"),
            "{\"x\":{\"a\":1,\"b\":2},\"z\":{\"a\":9,\"b\":2}}\n");
  EXPECT_EQ(read("x: &x {a: 1}\nz: {a: 9, <<: *x}\n"), "{\"x\":{\"a\":1},\"z\":{\"a\":1}}\n");
  EXPECT_EQ(read("- &x {a: 1}\n- &z {a: 2, c: 3}\n- {<<: [*x, *z]}\n"),
            "[{\"a\":1},{\"a\":2,\"c\":3},{\"a\":1,\"c\":3}]\n");
  EXPECT_EQ(read("y: {'<<': {a: 1}}"), "{\"true\":{\"<<\":{\"a\":1}}}\n");
  EXPECT_EQ(read("a: {<<: 3}"), "f:1:9: << merges a map or a list of maps\n");
}

TEST(Yaml, Places_AreThoseOfTheText) {
  Diagnostics diagnostics;
  auto documents =
      parse("a:\n  - b: 'c'\n    d: e f\ng: |\n  text\nempty:\nz: 1\n", "f", {}, diagnostics);
  ASSERT_EQ(documents.size(), 1u);
  const Node& item = documents[0].find("a")->items.at(0);
  EXPECT_EQ(item.place.to_string(), "f:2:5");
  EXPECT_EQ(item.find("b")->place.to_string(), "f:2:8");
  EXPECT_EQ(item.find("b")->lead, 1);
  EXPECT_EQ(item.entries[1].first.place.to_string(), "f:3:5");
  EXPECT_EQ(item.find("d")->lead, 0);
  EXPECT_EQ(documents[0].find("g")->lead, -1);
  EXPECT_EQ(documents[0].find("empty")->place.to_string(), "f:6:7");
}

TEST(Yaml, AliasedValues_KeepThePlaceWhereTheyAreWritten) {
  Diagnostics diagnostics;
  auto documents = parse("a: &x\n  b: 1\nc: *x\n", "f", {}, diagnostics);
  EXPECT_EQ(documents.at(0).find("c")->find("b")->place.to_string(), "f:2:6");
}

TEST(Yaml, Expressions_AreOpaqueOnlyWhereAskedFor) {
  Limits limits;
  limits.expressions = true;
  EXPECT_EQ(read("{a: ${{ vars.x['k'] }}, b: [${{ x == 'a: b, #c' }}]}", limits),
            "{\"a\":\"${{ vars.x['k'] }}\",\"b\":[\"${{ x == 'a: b, #c' }}\"]}\n");
  EXPECT_EQ(read("a: ${{ never closed\nb: {c: d}\n", limits),
            "{\"a\":\"${{ never closed\",\"b\":{\"c\":\"d\"}}\n");
  EXPECT_NE(findings("{a: ${{ vars.x }}}"), "");
}

TEST(Yaml, Expressions_StandInEveryKindOfScalar) {
  Limits limits;
  limits.expressions = true;
  EXPECT_EQ(read("[\"a\\t${{ x['k: #?'] }}\\n\", 'a''${{ y }}', é${{ {z} }}]", limits),
            "[\"a\\t${{ x['k: #?'] }}\\n\",\"a'${{ y }}\",\"é${{ {z} }}\"]\n");
  EXPECT_EQ(read("a: |\n  - ${{ x }}: #\n  ${{ y\n", limits),
            "{\"a\":\"- ${{ x }}: #\\n${{ y\\n\"}\n");
  EXPECT_EQ(read("${{ a: b }}: 1\n", limits), "{\"${{ a: b }}\":1}\n");
  EXPECT_EQ(findings("{é: ${{ {,} }}, b: ]}", limits), "f:1:20: a value is missing here\n");
}

TEST(Yaml, WhatCouldBeReadBeforeASyntaxError_IsReturned) {
  Diagnostics diagnostics;
  auto documents = parse("a: 1\n---\nb: ]\n", "f", {}, diagnostics);
  EXPECT_EQ(documents.size(), 1u);
  EXPECT_TRUE(diagnostics.has_errors());
}

TEST(Yaml, ColumnsAndLeads_CountCharactersAndNotBytes) {
  Diagnostics diagnostics;
  auto documents = parse("é: [ä, 'ö', \"ü\", \"\\u00fc\", &x y]\n", "f", {}, diagnostics);
  const Node& list = *documents.at(0).find("é");
  std::string places, leads;
  for (const Node& item : list.items) {
    places += item.place.to_string() + " ";
    leads += std::to_string(item.lead) + " ";
  }
  EXPECT_EQ(places, "f:1:5 f:1:8 f:1:13 f:1:18 f:1:28 ");
  EXPECT_EQ(leads, "0 1 1 -1 -1 ");
  EXPECT_EQ(findings("é: ä: b\n"), "f:1:5: ':' cannot stand here\n");
  EXPECT_EQ(findings("é: \x01"), "f:1:4: the file has the control character 0x01\n");
}

TEST(Yaml, MistakesInCollections_NameWhereTheseBegin) {
  Diagnostics diagnostics;
  parse("a:\n  - [b,\nc: d\n", "f", {}, diagnostics);
  EXPECT_EQ(diagnostics.sorted().at(0).hint,
            "the list begins at f:2:5; check the indentation, quotes and brackets");
}

struct Broken {
  const char* text;
  const char* findings;
};

TEST(Yaml, BrokenText_IsRefusedWithItsPlace) {
  const Broken table[] = {
      {"a: 1\na: 2\na: 3\n",
       "f:2:1: duplicate key 'a', first at f:1:1\nf:3:1: duplicate key 'a', first at f:1:1\n"},
      {"1: a\n'1': b\n", "f:2:1: duplicate key '1', first at f:1:1\n"},
      {"a:\n\tb: 1\n", "f:2:1: a tab stands where YAML needs spaces\n"},
      {"- \ta\n", "f:1:3: a tab stands where YAML needs spaces\n"},
      {"a: \x01", "f:1:4: the file has the control character 0x01\n"},
      {"a: \xC2\x80", "f:1:4: the file has the control character 0x80\n"},
      {"a:\nb: \xFF", "f:2:4: the byte 0xff is not valid UTF-8\n"},
      {"a: \xC0\xAF", "f:1:4: the byte 0xc0 is not valid UTF-8\n"},
      {"a: \xED\xA0\x80", "f:1:4: the byte 0xed is not valid UTF-8\n"},
      {"a: \xE2\x82", "f:1:4: the byte 0xe2 is not valid UTF-8\n"},
      {"\xFF\xFE"
       "a",
       "f:1:1: the file is UTF-16\n"},
      {"a: 1\nb\n", "f:2:1: this is no key: ':' is missing\n"},
      {"a: [1,,2]\n", "f:1:7: a value is missing here\n"},
      {"a: 'x\nb: c\n", "f:1:4: the quote that opens here is never closed\n"},
      {"a: \"x\\\"\n", "f:1:4: the quote that opens here is never closed\n"},
      {"{a: 1} b\n", "f:1:8: this does not belong to the document above\n"},
      {"  a: 1\nb: 2\n", "f:2:1: this does not belong to the document above\n"},
      {"a: 1\n}\n", "f:2:1: a key is missing here\n"},
      {"a: b: c\n", "f:1:5: ':' cannot stand here\n"},
      {"a: @x\n", "f:1:4: a text cannot start with '@'\n"},
      {"schedule: */5 * * * *\n", "f:1:11: a text cannot start with '*'\n"},
      {"a: %x\n", "f:1:4: a text cannot start with '%'\n"},
      {"a: - b\n", "f:1:4: a list item cannot start here\n"},
      {"- a\nb: 1\n", "f:2:1: '- ' is missing here\n"},
      {"a: [1, 2\nb: 3\n", "f:2:2: ',' or ']' is missing here\n"},
      {"a: {b: c]\n", "f:1:9: ',' or '}' is missing here\n"},
      {"a: [b:]\n", "f:1:6: ':' cannot stand here\n"},
      {"a: [b?]\n", "f:1:5: a text with '?' in it needs quotes inside { } and [ ]\n"},
      {"a: \"\\d\"\n", "f:1:5: this is no escape that a double-quoted text can have\n"},
      {"a: 'x\n---\n", "f:1:4: the quote that opens here is never closed\n"},
      {"a: |\n  x\n \ty\n", "f:3:2: a tab stands where YAML needs spaces\n"},
      {"%YAML 1.2\n---\na: 1\n", "f:1:1: Kubernetes tools read YAML 1.1 and no other version\n"},
      {"a: !x!y z\n", "f:1:4: a text cannot start with '!'\n"},
      {"a: *b\n", "f:1:4: there is no anchor 'b'\n"},
      {"a: &a [*a]\n", "f:1:8: the alias refers to a value that contains it\n"},
      {"? [1]\n: a\n", "f:1:3: a list or map cannot be a key\n"},
      {"~: a\n", "f:1:1: null cannot be a key\n"},
      {"a: .inf\n", "f:1:4: '.inf' is no number that Kubernetes can hold\n"},
      {"a: !!int abc\n", "f:1:4: the value does not fit its tag !!int\n"},
      {"a: !!binary '@@'\n", "f:1:4: the value tagged !!binary is not valid base64\n"},
  };
  for (const Broken& broken : table)
    EXPECT_EQ(findings(broken.text), broken.findings) << broken.text;
  EXPECT_EQ(findings(std::string("a: \0b", 5)), "f:1:4: the file has a NUL byte\n");
}

std::string repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += text;
  return result;
}

TEST(YamlLimits, DeepInput_EndsAtTheDepthLimitAndNotInTheStack) {
  for (const char* opener : {"[", "{a: ", "- ", "? ", "[{a: ", "? - "}) {
    std::string found = findings(repeat(opener, 100'000));
    EXPECT_NE(found.find("nested more than 64 deep"), std::string::npos) << opener << found;
    found = findings(repeat(opener, 100'000), kManifestLimits);
    EXPECT_NE(found.find("nested more than 256 deep"), std::string::npos) << opener << found;
  }
  std::string indented;
  for (size_t i = 0; i < 300; ++i) indented += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(findings(indented), "f:65:65: nested more than 64 deep\n");
  for (const char* odd :
       {"&a ", "! ", "'", "\"", "]", "|\n", "%A\n", "*a ", ", ", "#", "<<: ", ": "})
    findings(repeat(odd, 100'000));
}

TEST(YamlLimits, DepthCountsCollectionsExactly) {
  EXPECT_EQ(findings(repeat("[", 64) + repeat("]", 64)), "");
  EXPECT_EQ(findings(repeat("[", 65) + repeat("]", 65)), "f:1:65: nested more than 64 deep\n");
}

TEST(YamlLimits, Bytes_AreCountedBeforeReading) {
  EXPECT_EQ(findings(std::string((1 << 20) + 1, '[')),
            "f: the file has 1048577 bytes, more than the 1048576 allowed\n");
}

TEST(YamlLimits, AliasesThatExplode_AreBoundedByNodes) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before +
            repeat(", " + before, 8) + "]\n";
  }
  EXPECT_NE(findings(text).find("more than 200000 values, aliases expanded"), std::string::npos);
}

TEST(YamlLimits, AliasesOfLongText_AreBoundedByBytes) {
  std::string text = "a: &a '" + std::string(500'000, 'x') + "'\nb: [*a, *a, *a]\n";
  EXPECT_EQ(findings(text), "f:2:13: aliases expand to more than 1048576 bytes\n");
}

TEST(YamlLimits, AliasesThatNest_AreBoundedByDepth) {
  std::string text = "- &a0 [x]\n";
  for (int i = 1; i < 80; ++i)
    text += "- &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  EXPECT_NE(findings(text).find("nested more than 64 deep, aliases expanded"), std::string::npos);
}

TEST(YamlLimits, ManyDocumentsKeysAndItems_AreReadInLinearTime) {
  std::string keys;
  for (int i = 0; i < 50'000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(findings(keys), "");
  EXPECT_EQ(findings("[" + repeat("a,", 190'000) + "]"), "");
  EXPECT_EQ(findings(repeat("---\n", 100'000)), "");
  Limits limits;
  limits.expressions = true;
  EXPECT_EQ(findings("a: " + repeat("${{", 300'000), limits), "");
  EXPECT_EQ(findings("a: " + repeat("${{}}", 200'000), limits), "");
}

}  // namespace
}  // namespace blackstart::yaml
