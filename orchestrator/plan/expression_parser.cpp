#include <boost/json/value.hpp>

#include "orchestrator/base/yaml.h"
#include "orchestrator/plan/expression.h"

namespace blackstart::plan {
namespace {

using Kind = Expression::Kind;

constexpr size_t kLengthMax = 4096;
constexpr int kDepthMax = 32;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return is_name_start(c) || is_digit(c) || c == '-'; }

class Parser {
 public:
  Parser(std::string_view text, const TextPlace& start) : text_(text), start_(start) {}

  Expression parse_all() {
    if (text_.size() > kLengthMax) fail("an expression may have at most 4096 characters");
    Expression result = parse_chain(Kind::kOr);
    skip_space();
    if (next_ < text_.size())
      fail("unexpected '" + std::string(1, text_[next_]) + "'", hint_for_rest());
    return result;
  }

 private:
  Place place_at(size_t offset) const { return start_.after(text_.substr(0, offset)).start; }
  Place here() const { return place_at(next_); }

  [[noreturn]] void fail(std::string message, std::string hint = {}) const {
    throw Error(ErrorClass::kUsage, std::move(message)).at(here()).hint(std::move(hint));
  }

  std::string hint_for_rest() const {
    switch (text_[next_]) {
      case '"': return "write text in single quotes: 'text'";
      case '=': return "compare with ==";
      case '|':
      case '&': return "combine with && and ||";
      default: return "an expression has names, 'text', numbers, ==, !=, &&, ||, ! and parentheses";
    }
  }

  void skip_space() {
    while (next_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[next_]) != std::string_view::npos)
      ++next_;
  }

  bool accept(std::string_view token) {
    skip_space();
    if (!text_.substr(next_).starts_with(token)) return false;
    next_ += token.size();
    return true;
  }

  /// `a || b || c` or, one level below, `a && b`: one node for the whole chain.
  Expression parse_chain(Kind kind) {
    auto operand = [&] { return kind == Kind::kOr ? parse_chain(Kind::kAnd) : parse_equal(); };
    Expression first = operand();
    Expression chain;
    chain.kind = kind;
    while (accept(kind == Kind::kOr ? "||" : "&&")) chain.operands.push_back(operand());
    if (chain.operands.empty()) return first;
    chain.place = first.place;
    chain.operands.insert(chain.operands.begin(), std::move(first));
    return chain;
  }

  Expression parse_equal() {
    Expression left = parse_unary();
    bool equal = accept("==");
    if (!equal && !accept("!=")) return left;
    Expression result;
    result.kind = equal ? Kind::kEqual : Kind::kNotEqual;
    result.place = left.place;
    result.operands.push_back(std::move(left));
    result.operands.push_back(parse_unary());
    return result;
  }

  Expression parse_unary() {
    if (++depth_ > kDepthMax) fail("an expression may be nested at most 32 deep");
    Expression result;
    skip_space();
    result.place = here();
    if (accept("!")) {
      result.kind = Kind::kNot;
      result.operands.push_back(parse_unary());
    } else {
      result = parse_primary();
    }
    --depth_;
    return result;
  }

  Expression parse_primary() {
    skip_space();
    if (next_ >= text_.size()) fail("the expression ends too early", "write ${{ vars.name }}");
    Place start = here();
    char c = text_[next_];
    Expression result;
    if (c == '(') {
      ++next_;
      result = parse_chain(Kind::kOr);
      if (!accept(")")) fail("')' is missing");
    } else if (c == '\'') {
      result.literal = text_literal();
    } else if (is_digit(c) || c == '-') {
      result.literal = number_literal();
    } else if (is_name_start(c)) {
      result = parse_word();
    } else {
      fail("unexpected '" + std::string(1, c) + "'", hint_for_rest());
    }
    result.place = start;
    if (result.kind == Kind::kLiteral) result.literal.place = start;
    return result;
  }

  Value text_literal() {
    Value value;
    value.kind = Value::Kind::kString;
    size_t start = next_++;
    while (next_ < text_.size()) {
      if (text_[next_] == '\'') {
        ++next_;
        if (next_ >= text_.size() || text_[next_] != '\'') return value;
      }
      value.text += text_[next_++];
    }
    next_ = start;
    fail("the quote that opens here is never closed",
         "write a quote inside of text twice: 'it''s'");
  }

  Value number_literal() {
    size_t start = next_++;
    while (next_ < text_.size() &&
           (is_digit(text_[next_]) || text_[next_] == '.' || is_name_start(text_[next_])))
      ++next_;
    yaml::Node node;
    node.kind = yaml::Node::Kind::kScalar;
    node.scalar = std::string(text_.substr(start, next_ - start));
    Value value = Value::of(yaml::scalar_value(node), place_at(start));
    if (value.kind == Value::Kind::kInteger || value.kind == Value::Kind::kFloat) return value;
    next_ = start;
    fail("'" + node.scalar + "' is no number", "write text in single quotes: 'text'");
  }

  std::string word() {
    size_t start = next_;
    while (next_ < text_.size() && is_name(text_[next_])) ++next_;
    return std::string(text_.substr(start, next_ - start));
  }

  /// `.name` or `['name']`: a name that must be known without a look at any value.
  std::string fixed_name(const char* what) {
    skip_space();
    if (accept("[")) {
      skip_space();
      if (next_ >= text_.size() || text_[next_] != '\'')
        fail(std::string("expected ") + what + " as 'text'");
      std::string name = text_literal().text;
      if (!accept("]")) fail("']' is missing");
      return name;
    }
    if (!accept(".")) fail(std::string("expected .") + what);
    std::string name = word();
    if (name.empty()) fail(std::string("expected ") + what + " after the dot");
    return name;
  }

  Expression parse_word() {
    size_t start = next_;
    std::string root = word();
    Expression result;
    if (root == "vars") {
      result.kind = Kind::kVariable;
      result.name = fixed_name("NAME");
      parse_keys(result);
    } else if (root == "env") {
      result.kind = Kind::kEnvironmentName;
      if (fixed_name("name") != "name") fail("env has nothing but env.name");
    } else if (root == "stages") {
      parse_output(result);
    } else if (root == "true" || root == "false") {
      result.literal.kind = Value::Kind::kBoolean;
      result.literal.boolean = root == "true";
    } else if (root != "null") {
      next_ = start;
      fail("unknown name '" + root + "'",
           "an expression starts with vars.NAME, env.name or stages.NAME.outputs.NAME; text needs "
           "quotes: '" +
               root + "'");
    }
    return result;
  }

  void parse_output(Expression& result) {
    result.kind = Kind::kOutput;
    result.name = fixed_name("NAME");
    size_t start = next_;
    if (fixed_name("outputs") != "outputs") {
      next_ = start;
      fail("expected .outputs", "write stages." + result.name + ".outputs.NAME");
    }
    result.output_place = place_at(next_ + 1);
    result.output = fixed_name("NAME");
    parse_keys(result);
  }

  void parse_keys(Expression& path) {
    for (;;) {
      if (next_ < text_.size() && text_[next_] == '.') {
        Expression key;
        ++next_;
        key.place = here();
        key.literal.kind = Value::Kind::kString;
        key.literal.text = word();
        if (key.literal.text.empty()) fail("expected a key after the dot");
        path.operands.push_back(std::move(key));
      } else if (next_ < text_.size() && text_[next_] == '[') {
        if (++depth_ > kDepthMax) fail("an expression may be nested at most 32 deep");
        ++next_;
        path.operands.push_back(parse_chain(Kind::kOr));
        if (!accept("]")) fail("']' is missing");
        --depth_;
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  const TextPlace& start_;
  size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace

Expression parse_expression(std::string_view text, const TextPlace& start) {
  return Parser(text, start).parse_all();
}

}  // namespace blackstart::plan
