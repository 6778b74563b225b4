#include "orchestrator/cli/paths.h"

#include "orchestrator/base/path.h"
#include "orchestrator/base/shell.h"

namespace blackstart::cli {
namespace {

FileKind kind_of(const Program& program, const std::string& option, const std::string& given) {
  try {
    return program.world.files.kind(program.absolute(given));
  } catch (const Error& error) {
    throw unusable(program, option, given, error);
  }
}

bool is_missing(const Files& files, const std::string& folder) {
  try {
    return files.kind(folder) == FileKind::kMissing;
  } catch (const Error&) {
    return false;
  }
}

void refuse_bad_state(const Program& program, const std::string& given) {
  FileKind kind = kind_of(program, "--state", given);
  if (kind == FileKind::kMissing || kind == FileKind::kFolder) return;
  throw Error(ErrorClass::kUsage, "--state names a file: " + given)
      .hint("name a folder, a new one or that of an earlier run");
}

/// Tries it: what is saved comes after a long look, too late to hear of a mistyped folder.
void refuse_bad_out(const Program& program, const std::string& given) {
  if (kind_of(program, "--out", given) == FileKind::kFolder) {
    throw Error(ErrorClass::kUsage, "--out names a folder: " + given)
        .hint("name a file in it: --out " + shell_word(given + "/saved-plan"));
  }
  std::string beside = folder_of(program.absolute(given)) + "/.blackstart-" +
                       std::to_string(program.world.environment.pid()) + ".try";
  try {
    program.world.files.write(beside, "");
    program.world.files.remove_all(beside);
  } catch (const Error& error) {
    throw unusable(program, "--out", given, error);
  }
}

/// What is being read must not be what is written.
void refuse_the_plan(const Program& program, const std::string& option, const std::string& given) {
  const Arguments& arguments = program.arguments;
  const Files& files = program.world.files;
  std::string plan = program.absolute(arguments.file.empty() ? "plan.yaml" : arguments.file);
  for (const std::string& read : {plan, plan + "/plan.yaml"}) {
    if (files.kind(read) != FileKind::kFile) continue;
    if (files.canonical(program.absolute(given)) != files.canonical(read)) continue;
    throw Error(ErrorClass::kUsage, option + " names the plan itself: " + given)
        .hint("name another file; this one would be overwritten");
  }
}

}  // namespace

void refuse_bad_paths(const Program& program) {
  const Arguments& arguments = program.arguments;
  if (!arguments.state.empty()) refuse_bad_state(program, arguments.state);
  if (!arguments.out_file.empty()) refuse_bad_out(program, arguments.out_file);
  for (const auto& [option, given] :
       {std::pair("--out", arguments.out_file), std::pair("--events", arguments.events),
        std::pair("--log-file", arguments.log_file)}) {
    if (!given.empty() && given != "-") refuse_the_plan(program, option, given);
  }
}

Error unusable(const Program& program, const std::string& option, const std::string& path,
               const Error& why) {
  Error error(ErrorClass::kUsage, option + " " + path + " cannot be used");
  for (const std::string& cause : why.causes()) error.because(cause);
  bool missing = is_missing(program.world.files, folder_of(program.absolute(path)));
  return error.hint(missing ? "make its folder first: mkdir -p " + shell_word(folder_of(path))
                            : "name another one");
}

}  // namespace blackstart::cli
