// The command line as data.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "orchestrator/engine/graph.h"

namespace blackstart::cli {

struct Arguments {
  std::string command;      // "apply", …
  std::string file;         // positional: plan, saved plan, folder of `init`, stage type, run id
  std::string environment;  // --env
  std::vector<std::pair<std::string, std::string>> vars;
  std::string state;  // --state
  engine::Selection selection;
  bool yes = false;
  bool no_input = false;
  bool verbose = false;
  bool detailed_exit_code = false;
  size_t parallelism = 10;
  std::string events;  // --events FILE|-
  std::string output = "text";
  std::string out_file;  // plan --out
  std::string log_level = "off";
  std::string log_file;
  std::string name;                // init --name
  size_t limit = 20;               // runs --limit
  std::vector<std::string> words;  // the whole command line, for the resume command
};

/// Reads argv. Returns -1 and fills `arguments`, or the exit code when all is said already (help,
/// version, bad usage: 64).
int parse_arguments(int argc, char** argv, Arguments& arguments);

/// The command line again, quoted for a shell, with `command` in place of the given one.
std::string command_line(const Arguments& arguments, const std::string& command);

}  // namespace blackstart::cli
