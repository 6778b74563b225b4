#include "orchestrator/cli/talk.h"

#include <cstdio>

#include "orchestrator/base/path.h"

namespace blackstart::cli {

std::string text_of(const Error& error, const std::string& folder) {
  std::string text = "error: " + error.summary() + "\n";
  if (error.place().known()) text += "  at: " + seen_from(folder, error.place().to_string()) + "\n";
  for (const std::string& cause : error.causes()) text += "  because: " + cause + "\n";
  if (!error.hint().empty()) text += "  what to do: " + error.hint() + "\n";
  return text;
}

void say_error(const Error& error, const std::string& folder) {
  std::string text = text_of(error, folder);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

namespace {

/// `text`, which may name `place`, with it as seen from `folder`.
std::string shown_from(const std::string& folder, std::string text, const Place& place) {
  std::string named = place.to_string();
  size_t at = named.empty() ? std::string::npos : text.find(named);
  return at == std::string::npos ? text : text.replace(at, named.size(), seen_from(folder, named));
}

}  // namespace

std::string text_of(const Diagnostic& diagnostic, const std::string& folder) {
  std::string text = seen_from(folder, diagnostic.place.to_string());
  if (!text.empty()) text += ": ";
  text += diagnostic.severity == Severity::kError ? "error: " : "warning: ";
  text += shown_from(folder, diagnostic.message, diagnostic.other) + "\n";
  if (!diagnostic.hint.empty())
    text += "    " + shown_from(folder, diagnostic.hint, diagnostic.other) + "\n";
  return text;
}

}  // namespace blackstart::cli
