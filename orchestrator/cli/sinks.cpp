#include "orchestrator/cli/sinks.h"

#include <unistd.h>

#include <cstdio>

#include "orchestrator/cli/paths.h"
#include "orchestrator/events/debug_log.h"
#include "orchestrator/events/ndjson_sink.h"
#include "orchestrator/events/plain_sink.h"
#include "orchestrator/journal/event_sink.h"
#include "orchestrator/world/async.h"
#include "orchestrator/world/terminal.h"
#include "orchestrator/world/text_file.h"

namespace blackstart::cli {
namespace {

/// For commands whose result is data on stdout: lets only findings through.
class FindingsOnly final : public events::Sink {
 public:
  explicit FindingsOnly(std::unique_ptr<events::Sink> inner) : inner_(std::move(inner)) {}
  void on_event(const events::Event& event) override {
    if (std::holds_alternative<events::Notice>(event.payload)) inner_->on_event(event);
  }

 private:
  std::unique_ptr<events::Sink> inner_;
};

std::unique_ptr<events::Sink> plain_sink(const Program& program, const plan::Plan& plan) {
  const Arguments& arguments = program.arguments;
  events::PlainOptions options;
  options.folder = program.world.environment.working_directory();
  options.verbose = arguments.verbose;
  for (const plan::Stage& stage : plan.stages)
    options.stage_width = std::max(options.stage_width, stage.name.size());
  auto sink = std::make_unique<events::PlainSink>(events::writer_to(stderr), options);
  if (arguments.command == "apply" || arguments.command == "destroy") return sink;
  return std::make_unique<FindingsOnly>(std::move(sink));
}

events::Writer open_named(const Program& program, const std::string& option,
                          const std::string& path) {
  try {
    return open_text_file(program.absolute(path));
  } catch (const Error& error) {
    throw unusable(program, option, path, error);
  }
}

/// A full disk must not end a run: the stream breaks off, and whoever started us hears of it.
std::unique_ptr<events::Sink> ndjson_sink(events::Bus& bus, const Program& program) {
  const std::string& file = program.arguments.events;
  const std::string name = file == "-" ? "stdout" : file;
  auto tell = [&bus, name] {
    bus.publish(events::Notice{
        "warning",
        "",
        "",
        "the event stream breaks off: " + name + " cannot be written",
        {},
        "the run goes on, and its exit code stands; what was written has no run.end"});
  };
  auto writer = file == "-" ? events::writer_to(stdout) : open_named(program, "--events", file);
  return std::make_unique<events::NdjsonSink>(std::move(writer), std::move(tell));
}

}  // namespace

void add_sinks(events::Bus& bus, const Program& program, const plan::Plan& plan,
               journal::Journal* journal) {
  const Arguments& arguments = program.arguments;
  bus.add_sink(plain_sink(program, plan));
  if (!arguments.events.empty()) bus.add_sink(ndjson_sink(bus, program));
  events::LogLevel level = events::parse_log_level(arguments.log_level).value();
  if (level != events::LogLevel::kOff) {
    auto writer = arguments.log_file.empty()
                      ? events::writer_to(stderr)
                      : open_named(program, "--log-file", arguments.log_file);
    auto log = std::make_unique<events::DebugLog>(std::move(writer));
    log->set_level(level);
    bus.add_sink(std::move(log));
  }
  if (journal != nullptr) bus.add_sink(std::make_unique<journal::EventSink>(*journal));
}

void redact_all(events::Redactor& redactor, const plan::Value& value) {
  using Kind = plan::Value::Kind;
  if (value.kind == Kind::kString) redactor.add(value.text);
  if (value.kind == Kind::kInteger || value.kind == Kind::kFloat) redactor.add(value.canonical());
  for (const plan::Value& item : value.items) redact_all(redactor, item);
  for (const auto& [key, entry] : value.entries) redact_all(redactor, entry);
}

Task<bool> ask_on_terminal(Program& program, std::string question) {
  if (program.arguments.no_input || isatty(STDIN_FILENO) == 0) {
    throw Error(ErrorClass::kUsage, "needs a confirmation, and nobody can be asked here")
        .because(question)
        .hint("look at what it is about, then give --yes");
  }
  co_await throw_if_cancelled();  // its turn may come together with the end
  std::fprintf(stderr, "%s\nType 'yes' to go on: ", question.c_str());
  std::string answer = co_await read_typed_line();
  co_return trim(answer) == "yes";
}

}  // namespace blackstart::cli
