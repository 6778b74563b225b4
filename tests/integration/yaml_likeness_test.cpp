// Our reading of YAML beside kubectl's, over documents written to be misread: what one refuses the
// other refuses, what both take means the same.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "orchestrator/base/yaml.h"
#include "tests/integration/support/program.h"

namespace blackstart::test {
namespace {

namespace json = boost::json;

const std::string kHead = "apiVersion: example.com/v1\nkind: Thing\n";

/// What stands behind "spec:".
const char* const kTricky[] = {" yes",
                               " 0777",
                               " 1_000",
                               " 0x1F",
                               " 1:20",
                               " 1e3",
                               " .5",
                               " ~",
                               " =",
                               " !!str 1",
                               " ! 1",
                               " !!float 1",
                               " !!binary aGk=",
                               " !!int x",
                               " .inf",
                               " .nan",
                               " 2001-01-01",
                               " é",
                               " a #b",
                               " a#b",
                               " #b",
                               " 'it''s'",
                               " \"a\\tb\\u00e9\"",
                               " \"\\d\"",
                               " \"a\n\n b\"",
                               " 'a",
                               " \"a\\\n  b\"",
                               " a\n  b",
                               " a\n\n  b",
                               " a: b",
                               " - b",
                               " @a",
                               " `a",
                               " %a",
                               " *a",
                               " &a",
                               " *",
                               " &",
                               " !",
                               " |a",
                               " >",
                               " ?",
                               " ? a",
                               " -",
                               " --",
                               " -a",
                               " :",
                               " ::",
                               " :a",
                               " a:",
                               " [a, b",
                               " [a,, b]",
                               " [a, ]",
                               " [,]",
                               " [a b]",
                               " [a: b]",
                               " [a: b, c: d]",
                               " [? a]",
                               " [a?b]",
                               " [?a]",
                               " [a ?b]",
                               " [a:b]",
                               " [http://x:1/y]",
                               " [\"a\":b]",
                               " [a]b",
                               " {a}",
                               " {a, b: }",
                               " {a: b}}",
                               " {? a: b}",
                               " {a: {b: [c]}}",
                               " {a: b\nc: d}",
                               " {a: |\n  b}",
                               " {\"a\":1,\"b\":[]}",
                               " {[a]: b}",
                               " {~: b}",
                               " {<<: {a: b}, c: d}",
                               " {<<: a}",
                               " {'<<': a}",
                               " [- a]",
                               " [|]",
                               " [>]",
                               " [#a\n]",
                               " [a#b]",
                               " [%a]",
                               " [@a]",
                               " [*a]",
                               " [&a b, *a]",
                               " [&a b, &a c, *a]",
                               " &a [*a]",
                               " [&a [b], *a, *a]",
                               "\n\ta: b",
                               "\n  a:\tb",
                               "\n  a: b\n\tc: d",
                               "\n  - \ta",
                               "\n- a\n- b",
                               "\n- a\n -b",
                               "\n- a\n - b",
                               "\n  - a\n- b",
                               "\n  -\n  -\n",
                               "\n- - a\n  - b\n-\n  - c",
                               "\n  a: b\n c: d",
                               "\n  a: b\n   c: d",
                               "\n  a:\n  b:",
                               "\n  a:\n   - b\n  c: d",
                               "\n  ? a\n  : b",
                               "\n  ? a\n  c: d",
                               "\n  ? [a]\n  : b",
                               "\n  ? |\n    a\n  : b",
                               "\n  a b\n  c: d",
                               "\n  'a': b",
                               "\n  \"a\\n\": b",
                               "\n  1: a\n  yes: b\n  1.50: c\n  2001-01-01: d",
                               "\n  *a : b",
                               "\n  a: &x {b: c}\n  d: *x",
                               "\n  a: &x\n  b: *x",
                               "\n  a: &x {b: c}\n  d: {<<: *x, b: e}",
                               "\n  <<: [{a: b}, {a: c}]\n  d: e",
                               " |\n  a\n   b\n",
                               " |-\n  a\n\n",
                               " |+\n  a\n\n",
                               " |2\n   a\n",
                               " |9\n a\n",
                               " |0\n a\n",
                               " >\n  a\n  b\n\n  c\n   d\n  e\n",
                               " >-\n\n  a\n",
                               " |\n\ta\n",
                               " |\n  a\n \tb\n",
                               " | #c\n  a\n",
                               " |#c\n  a\n",
                               "\n  a: |\n   b\n  c: >\n   d\n",
                               " \"\xE2\x80\xA8\"",
                               " a\xE2\x80\xA8 b",
                               " \xC2\x85",
                               " a\r\n",
                               " a\r b",
                               " \x7F",
                               " \xC2\x80",
                               " \xEF\xBF\xBE",
                               "\n  a: b\n}",
                               " {}\n]",
                               " a\nb"};

const char* const kPieces[] = {"a",
                               "b",
                               "é",
                               "1",
                               "~",
                               "true",
                               " ",
                               " ",
                               " ",
                               "\n",
                               "\n ",
                               "\n  ",
                               "\n  ",
                               "\n  - ",
                               ":",
                               ": ",
                               ": ",
                               "- ",
                               "-",
                               "?",
                               "? ",
                               "{",
                               "}",
                               "[",
                               "]",
                               ",",
                               ", ",
                               "#",
                               " #",
                               "'",
                               "\"",
                               "'a'",
                               "\"b\"",
                               "\\",
                               "|",
                               "|\n",
                               ">\n",
                               "|-\n  ",
                               "&x ",
                               "*x",
                               "%",
                               "@",
                               "`",
                               "\t",
                               "<<: ",
                               "\r\n",
                               "\xE2\x80\xA8",
                               "a: ",
                               "b: ",
                               "k:\n  "};
const char* const kFrames[] = {" $",   "\n  $", "\n  a: $\n  b: c", "\n- $\n- c",
                               " [$]", " {$}",  " {a: [$], b: c}"};

/// The same ones in every run.
std::vector<std::string> thrown_together(size_t count) {
  std::minstd_rand dice(1);
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    std::string inner;
    for (size_t left = 1 + dice() % 10; left > 0; --left)
      inner += kPieces[dice() % std::size(kPieces)];
    std::string text = kFrames[dice() % std::size(kFrames)];
    texts.push_back(text.replace(text.find('$'), 1, inner));
  }
  return texts;
}

/// `spec` as kubectl reads it, by index; a document that it refuses is not there. One process
/// reads them all, a file each.
std::map<size_t, json::value> read_by_kubectl(const std::vector<std::string>& texts) {
  TemporaryFolder folder;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::string name = "metadata: {name: n" + std::to_string(i) + "}\n";
    folder.write(std::to_string(i) + ".yaml", kHead + name + "spec:" + texts[i] + "\n");
  }
  Invocation kubectl;
  kubectl.argv = {part("kubectl"), "annotate", "--local", "-o",
                  "json",          "read=yes", "-f",      folder.path()};
  std::string out = run(kubectl).out;
  std::map<size_t, json::value> read;
  for (size_t at = 0, end; at < out.size(); at = end) {
    end = out.find("\n}\n", at) + 3;
    json::value object = json::parse(std::string_view(out).substr(at, end - at));
    std::string name(object.at("metadata").at("name").as_string());
    const json::value* spec = object.as_object().if_contains("spec");
    read[std::stoul(name.substr(1))] = spec == nullptr ? json::value() : *spec;
  }
  return read;
}

struct Reading {
  std::string finding;  // the first one, when it is refused
  json::value spec;
};

Reading read_by_us(const std::string& text) {
  Diagnostics findings;
  auto documents = yaml::parse(kHead + "spec:" + text + "\n", "f", yaml::kManifestLimits, findings);
  if (findings.has_errors()) return {findings.sorted().front().message, {}};
  return {"", yaml::to_json(documents.at(0)).at("spec")};
}

/// What kubectl takes and we refuse: libyaml wants a space here, and of two equal keys only one
/// could be meant.
bool stricter_on_purpose(const std::string& finding) {
  return finding == "':' cannot stand here" || finding.starts_with("duplicate key");
}

void compare(const std::vector<std::string>& texts) {
  auto theirs = read_by_kubectl(texts);
  EXPECT_GT(theirs.size(), texts.size() / 10);
  EXPECT_LT(theirs.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    Reading ours = read_by_us(texts[i]);
    auto found = theirs.find(i);
    bool taken = found != theirs.end();
    if (taken && stricter_on_purpose(ours.finding)) continue;
    EXPECT_EQ(ours.finding.empty(), taken) << "spec:" << texts[i] << "\nwe say: " << ours.finding;
    if (!taken || !ours.finding.empty()) continue;
    EXPECT_EQ(ours.spec, found->second) << "spec:" << texts[i];
  }
}

class YamlLikeness : public testing::Test {
 protected:
  void SetUp() override { NEEDS_PART("kubectl"); }
};

TEST_F(YamlLikeness, OfWhatIsTricky) { compare({std::begin(kTricky), std::end(kTricky)}); }
TEST_F(YamlLikeness, OfWhatIsThrownTogether) { compare(thrown_together(3000)); }

/// Where libyaml and go-yaml have grown apart and we go with libyaml: JSON has the escape \/, which
/// go-yaml does not know. And kubectl makes something of bytes that are no UTF-8.
TEST_F(YamlLikeness, EndsWhereWeSaySo) {
  const std::vector<std::string> texts = {" \"\\/\"", " \"\\'\"", " {a:}",
                                          " [a:,b]",  " [!b,c]",  " \xFF"};
  std::string taken;
  auto theirs = read_by_kubectl(texts);
  for (size_t i = 0; i < texts.size(); ++i) {
    taken += theirs.contains(i) ? "kubectl" : "";
    taken += read_by_us(texts[i]).finding.empty() ? "we " : " ";
  }
  EXPECT_EQ(taken, "we kubectl kubectl kubectl we kubectl ");
}

}  // namespace
}  // namespace blackstart::test
