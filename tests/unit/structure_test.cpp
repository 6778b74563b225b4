// The shape of the source tree, as docs/architecture.md promises it: which room may include which,
// what only a .cpp file or only world/ may touch, and how long files and functions get.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace blackstart {
namespace {

constexpr size_t kFileLinesMax = 600;
constexpr size_t kFunctionLinesMax = 70;

/// Who may include whom. "main" is orchestrator/main.cpp, the one file that sees the stages.
const std::map<std::string, std::set<std::string>> kArrows = {
    {"base", {}},
    {"world", {"base"}},
    {"events", {"world", "base"}},
    {"journal", {"world", "base"}},
    {"plan", {"world", "base"}},
    {"kube", {"events", "world", "base"}},
    {"engine", {"plan", "journal", "events", "world", "base"}},
    {"cli", {"engine", "kube", "plan", "journal", "events", "world", "base"}},
    {"stages", {"engine", "kube", "plan", "journal", "events", "world", "base"}},
    {"main", {"stages", "cli", "engine", "kube", "plan", "journal", "events", "world", "base"}},
};

/// Headers that are slow to compile: a room may use them, but may not pass them on to another one.
const std::vector<std::string> kHeavyHeaders = {
    "<boost/asio", "<boost/process", "<curl/", "<yaml.h>", "<sqlite3", "<spdlog/", "<libssh2",
};
const std::vector<std::string> kLightHeaders = {"<boost/asio/awaitable.hpp>",
                                                "<boost/asio/any_io_executor.hpp>"};

struct Rule {
  std::string what;
  std::vector<std::string> words;  // "::word" means the global one
};

const std::vector<Rule> kWorldOnly = {
    {"the clock",
     {"system_clock::now", "steady_clock::now", "high_resolution_clock::now", "gettimeofday",
      "clock_gettime", "time(nullptr", "time(NULL", "time(0"}},
    {"sleep",
     {"sleep_for", "this_thread::sleep_until", "sleep(", "usleep", "nanosleep", "steady_timer"}},
    {"chance",
     {"rand(", "srand(", "random(", "getrandom", "random_device", "mt19937", "RAND_bytes"}},
    {"the environment", {"getenv", "secure_getenv", "setenv", "environ", "getpid", "gethostname"}},
    {"files",
     {"::open(", "openat(", "::creat(", "fopen", "fdopen", "freopen", "mkstemp", "tmpfile", "umask",
      "ifstream", "ofstream", "fstream"}},
    {"processes",
     {"execl", "execle", "execlp", "execv", "execve", "execvp", "execvpe", "fork(", "vfork",
      "popen", "system(", "posix_spawn", "posix_spawnp"}},
    {"the network",
     {"getaddrinfo", "::connect(", "::socket(", "::bind(", "::listen(", "curl_easy_perform"}},
};

/// Files that a rule is not meant for, each with its reason.
const std::map<std::string, std::string> kMayTouchTheWorld = {
    {"orchestrator/journal/file.cpp", "looks at the file that SQLite opens by itself"},
};
const std::map<std::string, std::string> kMayIncludeEvents = {
    {"orchestrator/journal/event_sink.h", "the one view of the stream that lives in the journal"},
    {"orchestrator/journal/event_sink.cpp", "the same"},
};

struct Source {
  std::string path;  // from the root of the tree
  std::string text;
};
using Tree = std::vector<Source>;
using Findings = std::vector<std::string>;

std::string place(const Source& source, size_t line) {
  return source.path + ":" + std::to_string(line);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Where the comment, string or character that begins at `at` ends; `at` itself when none begins
/// there.
size_t end_of_literal(const std::string& text, size_t at) {
  auto after = [&text](const std::string& close, size_t from) {
    size_t end = text.find(close, from);
    return end == std::string::npos ? text.size() : end + close.size();
  };
  if (text.compare(at, 2, "//") == 0) return after("\n", at) - 1;
  if (text.compare(at, 2, "/*") == 0) return after("*/", at + 2);
  if (text.compare(at, 2, "R\"") == 0) {
    size_t open = text.find('(', at);
    return open == std::string::npos ? at
                                     : after(")" + text.substr(at + 2, open - at - 2) + "\"", open);
  }
  bool digit_separator = text[at] == '\'' && at > 0 && in_word(text[at - 1]);
  if ((text[at] != '"' && text[at] != '\'') || digit_separator) return at;
  size_t end = at + 1;
  while (end < text.size() && text[end] != text[at] && text[end] != '\n')
    end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

/// The text with comments, strings and characters blanked, line breaks kept.
std::string code_of(const std::string& text) {
  std::string code = text;
  for (size_t at = 0; at < text.size();) {
    size_t end = end_of_literal(text, at);
    for (size_t i = at; i < end; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return code;
}

bool has_word(const std::string& line, const std::string& word) {
  for (size_t at = line.find(word); at != std::string::npos; at = line.find(word, at + 1)) {
    size_t end = at + word.size();
    bool starts = at == 0 || !(in_word(line[at - 1]) || (word[0] == ':' && line[at - 1] == '>'));
    bool ends = end == line.size() || !in_word(word.back()) || !in_word(line[end]);
    if (starts && ends) return true;
  }
  return false;
}

/// "orchestrator/kube/client.h" -> "kube"; "stages/x/y.cpp" -> "stages".
std::string room_of(const std::string& path) {
  if (path == "orchestrator/main.cpp") return "main";
  size_t first = path.find('/');
  if (path.substr(0, first) != "orchestrator") return path.substr(0, first);
  return path.substr(first + 1, path.find('/', first + 1) - first - 1);
}

struct Include {
  size_t line;
  std::string name;  // with its quotes or brackets
};

std::vector<Include> includes_of(const Source& source) {
  std::vector<Include> includes;
  auto lines = lines_of(source.text);
  for (size_t i = 0; i < lines.size(); ++i) {
    size_t name = lines[i].find_first_of("\"<");
    if (lines[i].starts_with("#include") && name != std::string::npos)
      includes.push_back({i + 1, lines[i].substr(name, lines[i].find_last_of("\">") + 1 - name)});
  }
  return includes;
}

std::string path_of(const Include& include) {
  return include.name.substr(1, include.name.size() - 2);
}

Findings wrong_includes(const Tree& tree) {
  Findings wrong;
  for (const Source& source : tree) {
    std::string room = room_of(source.path);
    if (room == "tests") continue;
    for (const Include& include : includes_of(source)) {
      std::string other = room_of(path_of(include));
      bool ours = include.name[0] == '"' && other != room;
      bool allowed = kArrows.contains(room) && kArrows.at(room).contains(other);
      bool excepted = other == "events" && kMayIncludeEvents.contains(source.path);
      if (ours && !allowed && !excepted)
        wrong.push_back(place(source, include.line) + ": " + room + " must not see " + other);
    }
  }
  return wrong;
}

bool is_heavy(const std::string& include) {
  auto begins = [&include](const std::string& start) { return include.starts_with(start); };
  return std::ranges::any_of(kHeavyHeaders, begins) && std::ranges::none_of(kLightHeaders, begins);
}

/// Headers that include a heavy one, directly or through others of the tree.
std::set<std::string> heavy_headers_of(const Tree& tree) {
  std::set<std::string> heavy;
  for (size_t before = heavy.size() + 1; before != heavy.size();) {
    before = heavy.size();
    for (const Source& source : tree) {
      for (const Include& include : includes_of(source)) {
        bool passes_on = is_heavy(include.name) || heavy.contains(path_of(include));
        if (source.path.ends_with(".h") && passes_on) heavy.insert(source.path);
      }
    }
  }
  return heavy;
}

Findings heavy_headers(const Tree& tree) {
  Findings found;
  std::set<std::string> heavy = heavy_headers_of(tree);
  for (const Source& source : tree) {
    std::string room = room_of(source.path);
    if (room == "tests") continue;
    for (const Include& include : includes_of(source)) {
      bool of_other_room = room_of(path_of(include)) != room;
      if (of_other_room && heavy.contains(path_of(include)))
        found.push_back(place(source, include.line) + ": " + path_of(include) + " is heavy");
    }
  }
  return found;
}

Findings world_outside_world(const Tree& tree) {
  Findings found;
  for (const Source& source : tree) {
    std::string room = room_of(source.path);
    if (room == "tests" || room == "world" || kMayTouchTheWorld.contains(source.path)) continue;
    auto lines = lines_of(code_of(source.text));
    for (size_t i = 0; i < lines.size(); ++i) {
      for (const Rule& rule : kWorldOnly) {
        bool breaks = std::ranges::any_of(rule.words, [&line = lines[i]](const std::string& word) {
          return has_word(line, word);
        });
        if (breaks) found.push_back(place(source, i + 1) + ": " + rule.what);
      }
    }
  }
  return found;
}

/// The index after the bracket that closes the one at `open`.
size_t end_of_bracket(const std::string& code, size_t open) {
  size_t depth = 0;
  for (size_t i = open; i < code.size(); ++i) {
    if (std::string_view("([{").find(code[i]) != std::string_view::npos) ++depth;
    bool closes = std::string_view(")]}").find(code[i]) != std::string_view::npos;
    if (closes && --depth == 0) return i + 1;
  }
  return code.size();
}

/// Does `[…]` hold a copy of anything?
bool captures_copies(const std::string& list) {
  std::istringstream in(list.substr(1, list.size() - 2));
  for (std::string item; std::getline(in, item, ',');) {
    size_t first = item.find_first_not_of(' ');
    if (first != std::string::npos && item[first] != '&' && item.substr(first) != "this")
      return true;
  }
  return false;
}

/// Where in the expression that begins at `at` something is made that g++ 12 destroys twice; npos =
/// none.
size_t destroyed_twice(const std::string& code, size_t at) {
  size_t depth = 0;
  for (size_t i = at; i < code.size(); ++i) {
    bool lambda =
        code[i] == '[' && !in_word(code[i - 1]) && code[i - 1] != ')' && code[i - 1] != ']';
    if (lambda) {
      size_t body = end_of_bracket(code, i);
      if (captures_copies(code.substr(i, body - i))) return i;
      i = end_of_bracket(code, code.find('{', body)) - 1;
      continue;
    }
    if (code[i] == '{') return i;
    if (code[i] == '(') ++depth;
    bool ends = code[i] == ';' || (code[i] == ')' && depth-- == 0);
    if (ends) break;
  }
  return std::string::npos;
}

/// g++ 12 destroys an aggregate, and so what a lambda captures, twice when it is made inside a
/// co_await expression: it must have a name first. Copies, constructors and functions are fine.
Findings temporaries_in_co_await(const Tree& tree) {
  Findings found;
  for (const Source& source : tree) {
    std::string code = code_of(source.text);
    for (size_t at = code.find("co_await "); at != std::string::npos;
         at = code.find("co_await ", at + 1)) {
      size_t bad = destroyed_twice(code, at);
      if (bad == std::string::npos) continue;
      auto line = static_cast<size_t>(
          std::count(code.begin(), code.begin() + static_cast<ptrdiff_t>(bad), '\n'));
      found.push_back(place(source, line + 1) + ": made inside a co_await");
    }
  }
  return found;
}

Findings long_files(const Tree& tree) {
  Findings found;
  for (const Source& source : tree) {
    size_t lines = lines_of(source.text).size();
    if (lines > kFileLinesMax)
      found.push_back(place(source, 1) + ": " + std::to_string(lines) + " lines");
  }
  return found;
}

/// The code without preprocessor directives, whose parentheses and braces open nothing.
std::string without_directives(const std::string& code) {
  std::string rest;
  for (const std::string& line : lines_of(code)) {
    size_t first = line.find_first_not_of(' ');
    bool directive = first != std::string::npos && line[first] == '#';
    rest += (directive ? "" : line) + "\n";
  }
  return rest;
}

/// What stands before a brace, from the last `;`, `{` or `}` on.
struct Head {
  std::string text;
  size_t line = 1;

  bool opens_function() const {
    static const std::regex kContainer(
        R"(^(template\s*<[^{]*>\s*)?(inline\s+)?(namespace|class|struct|union|enum|extern)\b[^=(]*$)");
    return text.find('(') != std::string::npos && !std::regex_search(text, kContainer);
  }
  void add(char c, size_t at_line) {
    bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (text.empty()) line = at_line;
    if (!text.empty() || !blank) text += c;
  }
};

/// Counts braces: the outermost that opens after something with parentheses opens a function.
Findings long_functions_of(const Source& source) {
  Findings found;
  Head head;
  size_t line = 1, depth = 0, function_depth = 0, function_line = 0;
  for (char c : without_directives(code_of(source.text))) {
    if (c == '\n') ++line;
    if (c == '{' && (++depth, function_depth == 0) && head.opens_function()) {
      function_depth = depth;
      function_line = head.line;
    }
    if (c == '}' && depth > 0 && depth-- == function_depth) {
      function_depth = 0;
      size_t lines = line - function_line + 1;
      if (lines > kFunctionLinesMax)
        found.push_back(place(source, function_line) + ": a function of " + std::to_string(lines) +
                        " lines");
    }
    bool ends_head = c == ';' || c == '{' || c == '}';
    ends_head ? head.text.clear() : head.add(c, line);
  }
  return found;
}

Findings long_functions(const Tree& tree) {
  Findings found;
  for (const Source& source : tree) {
    Findings here = long_functions_of(source);
    found.insert(found.end(), here.begin(), here.end());
  }
  return found;
}

Tree sources() {
  namespace fs = std::filesystem;
  Tree result;
  fs::path root = SOURCE_FOLDER;
  for (const char* top : {"orchestrator", "stages", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      std::ifstream in(entry.path());
      std::ostringstream text;
      text << in.rdbuf();
      result.push_back({fs::relative(entry.path(), root), text.str()});
    }
  }
  return result;
}

using Check = Findings (*)(const Tree&);

/// All findings in the tree, one a line; empty is good.
std::string findings(Check check) {
  std::string text;
  for (const std::string& finding : check(sources())) text += finding + "\n";
  return text;
}

TEST(Structure, SeesTheTree) { EXPECT_GT(sources().size(), 50u); }
TEST(Structure, ArrowsPointOneWay) { EXPECT_EQ(findings(wrong_includes), ""); }
TEST(Structure, NoRoomPassesAHeavyHeaderOn) { EXPECT_EQ(findings(heavy_headers), ""); }
TEST(Structure, OnlyTheWorldTouchesTheWorld) { EXPECT_EQ(findings(world_outside_world), ""); }
TEST(Structure, NothingIsMadeInACoAwaitThatIsDestroyedTwice) {
  EXPECT_EQ(findings(temporaries_in_co_await), "");
}
TEST(Structure, NoFileIsLongerThan600Lines) { EXPECT_EQ(findings(long_files), ""); }
TEST(Structure, NoFunctionIsLongerThan70Lines) { EXPECT_EQ(findings(long_functions), ""); }

struct Sample {
  Check check;
  std::string path;
  std::string text;
  std::string finding;  // empty = must pass
};

std::string lines(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += "  f();\n";
  return text;
}

const std::vector<Sample> kSamples = {
    {wrong_includes, "orchestrator/kube/a.cpp", "#include \"orchestrator/engine/b.h\"\n",
     "orchestrator/kube/a.cpp:1: kube must not see engine"},
    {wrong_includes, "orchestrator/cli/a.cpp", "\n#include \"stages/catalog.h\"\n",
     "orchestrator/cli/a.cpp:2: cli must not see stages"},
    {wrong_includes, "orchestrator/journal/journal.cpp", "#include \"orchestrator/events/bus.h\"\n",
     "orchestrator/journal/journal.cpp:1: journal must not see events"},
    {wrong_includes, "orchestrator/base/a.h", "#include \"tests/x.h\"\n",
     "orchestrator/base/a.h:1: base must not see tests"},
    {wrong_includes, "orchestrator/journal/event_sink.h",
     "#include \"orchestrator/events/bus.h\"\n", ""},
    {wrong_includes, "orchestrator/main.cpp", "#include \"stages/catalog.h\"\n", ""},
    {wrong_includes, "stages/kube/crds.cpp", "#include \"orchestrator/engine/stage.h\"\n", ""},
    {world_outside_world, "stages/a.cpp", "auto t = std::chrono::steady_clock::now();\n",
     "stages/a.cpp:1: the clock"},
    {world_outside_world, "stages/a.cpp", "co_await clock.sleep_until(now() + 1'000s);\n", ""},
    {world_outside_world, "stages/a.cpp", "int f = ::open(path, 0);\n", "stages/a.cpp:1: files"},
    {world_outside_world, "orchestrator/cli/sinks.cpp", "FILE* f = std::fopen(path, \"we\");\n",
     "orchestrator/cli/sinks.cpp:1: files"},
    {world_outside_world, "stages/a.cpp", "umask(077);\n", "stages/a.cpp:1: files"},
    {world_outside_world, "stages/a.cpp", "const char* h = std::getenv(\"HOME\");\n",
     "stages/a.cpp:1: the environment"},
    {world_outside_world, "stages/a.cpp", "if (::fork() == 0) execvp(a, b);\n",
     "stages/a.cpp:1: processes"},
    {world_outside_world, "stages/a.cpp", "// not rand() in a comment\nauto s = \"rand()\";\n", ""},
    {world_outside_world, "stages/a.cpp", "auto j = co_await journal::open(world, file, false);\n",
     ""},
    {world_outside_world, "orchestrator/world/a.cpp", "int f = ::open(path, 0);\n", ""},
    {temporaries_in_co_await, "stages/a.cpp", "co_await run(\n    Command{program, args});\n",
     "stages/a.cpp:2: made inside a co_await"},
    {temporaries_in_co_await, "stages/a.cpp", "auto a = co_await run([b, &c](int) { f(b, c); });\n",
     "stages/a.cpp:1: made inside a co_await"},
    {temporaries_in_co_await, "stages/a.cpp",
     "co_await run(list[0], [this, &c] { f(c); }, Point(1, 2));\n", ""},
    {temporaries_in_co_await, "stages/a.cpp", "if (co_await run()) {\n  Command command{a};\n}\n",
     ""},
    {long_files, "stages/a.cpp", lines(601), "stages/a.cpp:1: 601 lines"},
    {long_files, "stages/a.cpp", lines(600), ""},
    {long_functions, "stages/a.cpp",
     "namespace a {\nclass B {\n  int c(int d) const {\n" + lines(69) + "  }\n};\n}\n",
     "stages/a.cpp:3: a function of 71 lines"},
    {long_functions, "stages/a.cpp",
     "\nvoid f() {\n" + lines(30) + "  auto g = [] {\n" + lines(37) + "};\n}\n",
     "stages/a.cpp:2: a function of 71 lines"},
    {long_functions, "stages/a.cpp",
     "class B {\n" + lines(200) + "};\nvoid f() {\n" + lines(68) + "}\n", ""},
    {long_functions, "stages/a.cpp", "#define A(b)\nnamespace c {\n" + lines(80) + "}\n", ""},
    {long_functions, "stages/a.cpp", "auto t = R\"(\n" + lines(200) + "{ ( {)\";\nvoid f() {\n}\n",
     ""},
};

TEST(Structure, AHeavyHeaderIsFoundThroughAnother) {
  Tree tree = {{"orchestrator/world/a.h", "#include <boost/asio/post.hpp>\n"},
               {"orchestrator/world/b.h", "#include \"orchestrator/world/a.h\"\n"},
               {"orchestrator/world/c.h", "#include <boost/asio/awaitable.hpp>\n"},
               {"orchestrator/world/d.cpp", "#include \"orchestrator/world/a.h\"\n"},
               {"stages/e.cpp", "#include \"orchestrator/world/c.h\"\n#include <curl/curl.h>\n"},
               {"stages/f.cpp", "\n#include \"orchestrator/world/b.h\"\n"}};
  EXPECT_EQ(heavy_headers(tree), Findings{"stages/f.cpp:2: orchestrator/world/b.h is heavy"});
}

TEST(Structure, TheChecksFindWhatIsWrongAndNothingElse) {
  for (const Sample& sample : kSamples) {
    Findings expected;
    if (!sample.finding.empty()) expected.push_back(sample.finding);
    EXPECT_EQ(sample.check({{sample.path, sample.text}}), expected) << sample.text.substr(0, 200);
  }
}

}  // namespace
}  // namespace blackstart
