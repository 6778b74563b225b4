#include "orchestrator/events/redactor.h"

#include <algorithm>
#include <cstdint>

#include "orchestrator/base/hex.h"
#include "orchestrator/base/text.h"
#include "orchestrator/events/printable.h"

namespace blackstart::events {
namespace {

constexpr size_t kSecretSizeMin = 4;
constexpr size_t kPieceSizeMin = 12;
constexpr size_t kLineSizeMin = 8;  // of a secret of several: shorter ones are words of a format
constexpr size_t kLinesMost = 500;  // each is searched for in all that is shown

/// A text in another reading (control characters dropped, escapes undone) that remembers where each
/// of its characters stands in the original. Secrets are searched for in readings, so that no list
/// of all ways to escape a secret is needed.
struct Reading {
  std::string text;
  std::vector<size_t> starts;  // one more than characters: the last is the end of the original

  void add(std::string_view bytes, size_t start) {
    text += bytes;
    starts.insert(starts.end(), bytes.size(), start);
  }
};

Reading plain_reading(std::string_view original, size_t offset) {
  Reading reading;
  for (size_t i = 0; i < original.size();) {
    bool line_break = original[i] == '\n' || original[i] == '\r';
    size_t skipped = line_break ? 1 : control_size(original.substr(i));
    if (skipped == 0) reading.add(original.substr(i, 1), offset + i);
    i += std::max<size_t>(skipped, 1);
  }
  reading.starts.push_back(offset + original.size());
  return reading;
}

std::optional<uint32_t> hex_number(std::string_view digits, size_t count) {
  if (digits.size() < count) return std::nullopt;
  uint32_t number = 0;
  for (char digit : digits.substr(0, count)) {
    int value = digit >= '0' && digit <= '9'   ? digit - '0'
                : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                               : -1;
    if (value < 0) return std::nullopt;
    number = number * 16 + static_cast<uint32_t>(value);
  }
  return number;
}

std::string utf8_of(uint32_t code) {
  auto byte = [](uint32_t value) { return static_cast<char>(value); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 63))};
  if (code < 0x10000)
    return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))};
  return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)),
          byte(0x80 | (code & 63))};
}

struct Unescaped {
  std::string bytes;
  size_t size = 0;  // of the escape; 0 = there is none
};

/// \uXXXX, surrogate pairs included.
Unescaped unescape_unicode(std::string_view text) {
  auto code = hex_number(text.substr(2), 4);
  if (!code) return {};
  bool high = *code >= 0xD800 && *code < 0xDC00 && text.substr(6, 2) == "\\u";
  auto low = high ? hex_number(text.substr(8), 4) : std::nullopt;
  if (!low || *low < 0xDC00 || *low > 0xDFFF) return {utf8_of(*code), 6};
  return {utf8_of(0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00)), 12};
}

Unescaped unescape_backslash(std::string_view text) {
  static constexpr std::string_view kBlank = "nrtbfv0";  // what plain_reading drops, or a tab
  if (text.size() < 2) return {};
  if (text[1] == 'u') return unescape_unicode(text);
  if (text[1] == 'x') {
    auto code = hex_number(text.substr(2), 2);
    return code ? Unescaped{std::string(1, static_cast<char>(*code)), 4} : Unescaped{};
  }
  if (text[1] == 't') return {"\t", 2};
  if (kBlank.find(text[1]) != std::string_view::npos) return {"", 2};
  return {std::string(text.substr(1, 1)), 2};
}

Unescaped unescape_percent(std::string_view text) {
  auto code = hex_number(text.substr(1), 2);
  if (!code) return {};
  bool dropped = *code < 0x20 && *code != '\t';
  return {dropped ? "" : std::string(1, static_cast<char>(*code)), 3};
}

/// The reading with one kind of escapes undone: those that begin with `\` (JSON, C, shell) or with
/// `%` (URL). Never both at once: a secret may hold a literal "%20" and stand in JSON.
Reading unescaped(const Reading& reading, char kind) {
  Reading result;
  std::string_view text = reading.text;
  for (size_t i = 0; i < text.size();) {
    Unescaped escape;
    if (text[i] == kind)
      escape = kind == '%' ? unescape_percent(text.substr(i)) : unescape_backslash(text.substr(i));
    result.add(escape.size > 0 ? std::string_view(escape.bytes) : text.substr(i, 1),
               reading.starts[i]);
    i += std::max<size_t>(escape.size, 1);
  }
  result.starts.push_back(reading.starts.back());
  return result;
}

/// Which bytes of the original are part of a secret.
class Marks {
 public:
  explicit Marks(size_t size) : marked_(size, false) {}

  void mark(const Reading& reading, size_t first, size_t count) {
    size_t start = reading.starts[first];
    size_t end = reading.starts[first + count];
    std::fill(marked_.begin() + static_cast<ptrdiff_t>(start),
              marked_.begin() + static_cast<ptrdiff_t>(end), true);
  }

  std::string masked(std::string_view original) const {
    std::string text;
    for (size_t i = 0; i < original.size(); ++i) {
      if (!marked_[i]) text += original[i];
      if (marked_[i] && (i == 0 || !marked_[i - 1])) text += kMask;
    }
    return text;
  }

 private:
  std::vector<bool> marked_;
};

void mark_whole(const Reading& reading, const std::vector<std::string>& needles, Marks& marks) {
  for (const std::string& needle : needles) {
    for (size_t at = reading.text.find(needle); at != std::string::npos;
         at = reading.text.find(needle, at + 1)) {
      marks.mark(reading, at, needle.size());
    }
  }
}

/// The largest n >= kPieceSizeMin with `head` ending in the first n characters of `tail`; 0 = none.
size_t overlap(std::string_view head, std::string_view tail) {
  for (size_t size = std::min(head.size(), tail.size()); size >= kPieceSizeMin; --size) {
    if (head.ends_with(tail.substr(0, size))) return size;
  }
  return 0;
}

void mark_pieces(const Reading& line, const std::vector<std::string>& needles, Marks& marks) {
  std::string_view text = trim(line.text);
  size_t first = static_cast<size_t>(text.data() - line.text.data());
  if (text.size() < kPieceSizeMin) return;
  for (const std::string& needle : needles) {
    if (needle.find(text) != std::string::npos) return marks.mark(line, first, text.size());
    size_t at_end = overlap(text, needle);
    if (at_end > 0) marks.mark(line, first + text.size() - at_end, at_end);
    size_t at_start = overlap(needle, text);
    if (at_start > 0) marks.mark(line, first, at_start);
  }
}

/// Marks what is a secret in this reading or in one with `depth` more layers of escapes undone.
void mark_escaped(const Reading& reading, const std::vector<std::string>& needles, int depth,
                  Marks& marks) {
  mark_whole(reading, needles, marks);
  if (depth == 0) return;
  for (char kind : {'\\', '%'}) {
    bool escaped = reading.text.find(kind) != std::string::npos;
    if (escaped) mark_escaped(unescaped(reading, kind), needles, depth - 1, marks);
  }
}

Marks marks_of_whole(std::string_view text, const std::vector<std::string>& needles) {
  static constexpr int kEscapeDepth = 2;  // JSON in JSON
  Marks marks(text.size());
  mark_escaped(plain_reading(text, 0), needles, kEscapeDepth, marks);
  return marks;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// The characters that base64 makes of `secret` alone when `before` bytes precede it in its group.
std::string base64_core(std::string_view secret, size_t before) {
  std::string encoded = base64_encode(std::string(before, '\0').append(secret));
  size_t first = (before * 8 + 5) / 6;
  size_t end = (before + secret.size()) * 8 / 6;
  return encoded.substr(first, end - first);
}

std::vector<std::string> forms_of(std::string_view secret) {
  std::vector<std::string> forms = {plain_reading(secret, 0).text, hex(secret),
                                    hex(secret, "0123456789ABCDEF")};
  const std::string raw = forms[0];
  forms.push_back(replaced(raw, " ", "+"));      // form encoding
  forms.push_back(replaced(raw, "'", "''"));     // YAML
  forms.push_back(replaced(raw, "'", "'\\''"));  // shell
  for (size_t before = 0; before < 3; ++before) {
    std::string core = base64_core(secret, before);
    forms.push_back(replaced(replaced(core, "+", "-"), "/", "_"));
    forms.push_back(std::move(core));
  }
  return forms;
}

}  // namespace

void Redactor::add(std::string_view secret) {
  // Keys read from files often end with a line break that is not printed with them.
  for (std::string_view reading : {secret, trim(secret)}) {
    if (reading.size() < kSecretSizeMin) continue;
    for (std::string& form : forms_of(reading)) search_for(std::move(form));
  }
  if (trim(secret).find('\n') != std::string_view::npos) add_lines(secret);
}

/// Tools print line by line, each with something of their own before it.
void Redactor::add_lines(std::string_view secret) {
  std::vector<std::string> lines = split(secret, '\n');
  lines.resize(std::min(lines.size(), kLinesMost));
  for (const std::string& line : lines) {
    std::string needle = plain_reading(trim(line), 0).text;
    if (needle.size() >= kLineSizeMin) search_for(std::move(needle));
  }
}

void Redactor::search_for(std::string needle) {
  bool known = std::ranges::find(needles_, needle) != needles_.end();
  if (needle.size() >= kSecretSizeMin && !known) needles_.push_back(std::move(needle));
}

std::string Redactor::clean(std::string_view text) const {
  if (needles_.empty()) return std::string(text);
  return marks_of_whole(text, needles_).masked(text);
}

std::string Redactor::clean_wrapped(std::string_view text) const {
  if (needles_.empty()) return std::string(text);
  Marks marks = marks_of_whole(text, needles_);
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    mark_pieces(plain_reading(text.substr(start, end - start), start), needles_, marks);
    start = end + 1;
  }
  return marks.masked(text);
}

}  // namespace blackstart::events
