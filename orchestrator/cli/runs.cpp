// blackstart runs: what was run, and what happened in a run.
#include <boost/json.hpp>

#include "orchestrator/cli/exit_code.h"
#include "orchestrator/cli/sinks.h"
#include "orchestrator/cli/table.h"
#include "orchestrator/cli/workspace.h"

namespace blackstart::cli {
namespace {

std::string duration_of(const journal::RunInfo& run) {
  if (!run.ended) return "-";
  return format_duration(std::chrono::duration_cast<Duration>(*run.ended - run.started));
}

std::string result_of(const journal::RunInfo& run) {
  return run.result.empty() ? "died or running" : run.result;
}

std::string as_table(const std::vector<journal::RunInfo>& runs) {
  std::string text = padded("ID", 22) + padded("COMMAND", 10) + padded("RESULT", 18) +
                     padded("EXIT", 6) + padded("DURATION", 10) + "STARTED\n";
  for (const journal::RunInfo& run : runs) {
    text += padded(run.id, 22) + padded(run.command, 10) + padded(result_of(run), 18) +
            padded(run.ended ? std::to_string(run.exit_code) : "-", 6) +
            padded(duration_of(run), 10) + format_utc(run.started) + "\n";
  }
  return text;
}

std::string as_json(const std::vector<journal::RunInfo>& runs) {
  boost::json::array list;
  for (const journal::RunInfo& run : runs) {
    boost::json::object object{{"id", run.id},
                               {"command", run.command},
                               {"result", run.result},
                               {"exitCode", run.exit_code},
                               {"environment", run.environment},
                               {"user", run.user},
                               {"host", run.host},
                               {"started", format_utc(run.started)}};
    if (run.ended) object["ended"] = format_utc(*run.ended);
    list.emplace_back(std::move(object));
  }
  return boost::json::serialize(list) + "\n";
}

Task<std::string> events_of(journal::Journal& journal, std::string id) {
  if (id == "last") {
    auto newest = co_await journal.runs(1);
    if (newest.empty()) throw Error(ErrorClass::kUsage, "there was no run so far");
    id = newest.front().id;
  }
  std::string text;
  for (const std::string& line : co_await journal.run_events(id)) text += line + "\n";
  if (text.empty()) {
    throw Error(ErrorClass::kUsage,
                "there is no run '" + id + "', or its events are no longer kept")
        .hint("blackstart runs lists them");
  }
  co_return text;
}

}  // namespace

Task<int> run_runs(Program& program) {
  plan::Plan plan =
      identify_plan(program, request_of(program, plan_path(program, program.arguments.file)));
  std::string file = state_folder_of(program, plan) + "/journal.db";
  journal::Opened opened = co_await journal::open(program.world, file, true);
  if (opened.damage) {
    events::Bus bus(program.world.clock);
    add_sinks(bus, program, plan, nullptr);
    bus.publish(notice_of(*opened.damage));
  }
  if (!program.arguments.name.empty()) {
    program.print(co_await events_of(*opened.journal, program.arguments.name));
    co_return kExitDone;
  }
  auto runs = co_await opened.journal->runs(program.arguments.limit);
  program.print(program.arguments.output == "json" ? as_json(runs) : as_table(runs));
  co_return kExitDone;
}

}  // namespace blackstart::cli
