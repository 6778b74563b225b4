# Makes C++ of files, so that the program needs none of them at run time. Two forms:
#   cmake -DFORM=starter -DINPUT=FOLDER -DOUTPUT=FILE.cpp -P embed.cmake   the starter repository
#   cmake -DFORM=tools -DINPUT=tools.tsv -DOUTPUT=FILE.cpp -P embed.cmake  the table of pinned tools

# A raw string literal; nothing that we embed holds its delimiter.
function(literal text out)
  set(${out} "R\"embedded(${text})embedded\"" PARENT_SCOPE)
endfunction()

function(starter_entries out)
  file(GLOB_RECURSE files RELATIVE "${INPUT}" "${INPUT}/*")
  list(SORT files)
  set(entries "")
  foreach(file IN LISTS files)
    # HEX keeps what CMake's lists and escapes would eat: ";", "[" and "\".
    file(READ "${INPUT}/${file}" hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" escaped "${hex}")
    # Short pieces: a compiler may refuse a line of a million characters.
    string(REGEX REPLACE "(\\\\x[0-9a-f][0-9a-f]\\\\x[0-9a-f][0-9a-f]\\\\x[0-9a-f][0-9a-f]\\\\x[0-9a-f][0-9a-f]\\\\x[0-9a-f][0-9a-f]\\\\x[0-9a-f][0-9a-f]\\\\x[0-9a-f][0-9a-f]\\\\x[0-9a-f][0-9a-f])"
           "\\1\"\n     \"" escaped "${escaped}")
    string(LENGTH "${hex}" digits)
    math(EXPR size "${digits} / 2")
    string(APPEND entries "    {\"${file}\", std::string_view(\n     \"${escaped}\", ${size})},\n")
  endforeach()
  set(${out} "${entries}" PARENT_SCOPE)
endfunction()

function(tool_entries out)
  file(STRINGS "${INPUT}" lines)
  set(entries "")
  foreach(line IN LISTS lines)
    if(line MATCHES "^([A-Za-z0-9_-]+)\t([^\t]+)")
      literal("${CMAKE_MATCH_1}" name)
      literal("${CMAKE_MATCH_2}" version)
      string(APPEND entries "    {${name}, ${version}},\n")
    endif()
  endforeach()
  set(${out} "${entries}" PARENT_SCOPE)
endfunction()

if(FORM STREQUAL "starter")
  starter_entries(entries)
  file(WRITE "${OUTPUT}" "// Made by cmake/embed.cmake from plans/quickstart.
#include \"orchestrator/cli/starter.h\"

namespace blackstart::cli {

std::span<const StarterFile> starter_files() {
  static constexpr StarterFile kFiles[] = {
${entries}  };
  return kFiles;
}

}  // namespace blackstart::cli
")
elseif(FORM STREQUAL "tools")
  tool_entries(entries)
  file(WRITE "${OUTPUT}" "// Made by cmake/embed.cmake from scripts/parts/tools.tsv.
#include \"orchestrator/engine/tools.h\"

namespace blackstart::engine {
namespace {

struct Pinned {
  const char* name;
  const char* version;
};

constexpr Pinned kPinned[] = {
${entries}};

}  // namespace

std::string Tools::pinned_version(const std::string& name) {
  for (const Pinned& tool : kPinned) {
    if (name == tool.name) return tool.version;
  }
  return {};
}

std::vector<std::string> Tools::pinned_names() {
  std::vector<std::string> names;
  for (const Pinned& tool : kPinned) names.push_back(tool.name);
  return names;
}

}  // namespace blackstart::engine
")
else()
  message(FATAL_ERROR "embed.cmake: FORM is starter or tools")
endif()
