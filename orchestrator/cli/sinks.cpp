#include "orchestrator/cli/sinks.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "orchestrator/events/debug_log.h"
#include "orchestrator/events/ndjson_sink.h"
#include "orchestrator/events/plain_sink.h"
#include "orchestrator/journal/event_sink.h"

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

std::unique_ptr<events::Sink> plain_sink(const Arguments& arguments, const plan::Plan& plan) {
  events::PlainOptions options;
  options.verbose = arguments.verbose;
  for (const plan::Stage& stage : plan.stages) options.stage_width = std::max(options.stage_width, stage.name.size());
  auto sink = std::make_unique<events::PlainSink>(events::writer_to(stderr), options);
  if (arguments.command == "apply" || arguments.command == "destroy") return sink;
  return std::make_unique<FindingsOnly>(std::move(sink));
}

/// Opens a file to write text to, 0600, closed with the last copy of the writer.
events::Writer writer_to_file(const std::string& path) {
  mode_t before = umask(077);
  std::FILE* file = std::fopen(path.c_str(), "we");
  umask(before);
  if (file == nullptr) {
    throw Error(ErrorClass::kUsage, "cannot write " + path).because(std::string(std::strerror(errno)));
  }
  std::shared_ptr<std::FILE> owned(file, std::fclose);
  return [owned, write = events::writer_to(file)](std::string_view text) { return write(text); };
}

}  // namespace

void add_sinks(events::Bus& bus, const Program& program, const plan::Plan& plan, journal::Journal* journal) {
  const Arguments& arguments = program.arguments;
  bus.add_sink(plain_sink(arguments, plan));
  if (!arguments.events.empty()) {
    auto writer = arguments.events == "-" ? events::writer_to(stdout) : writer_to_file(arguments.events);
    bus.add_sink(std::make_unique<events::NdjsonSink>(std::move(writer)));
  }
  auto level = events::parse_log_level(arguments.log_level);
  if (level && *level != events::LogLevel::kOff) {
    auto writer = arguments.log_file.empty() ? events::writer_to(stderr) : writer_to_file(arguments.log_file);
    auto log = std::make_unique<events::DebugLog>(std::move(writer));
    log->set_level(*level);
    bus.set_log_level(*level);
    bus.add_sink(std::move(log));
  }
  if (journal != nullptr) bus.add_sink(std::make_unique<journal::EventSink>(*journal));
}

void redact_all(events::Redactor& redactor, const plan::Value& value) {
  if (value.kind == plan::Value::Kind::kString) redactor.add(value.text);
  for (const plan::Value& item : value.items) redact_all(redactor, item);
  for (const auto& [key, entry] : value.entries) redact_all(redactor, entry);
}

Task<bool> ask_on_terminal(Program& program, std::string question) {
  if (program.arguments.no_input || isatty(STDIN_FILENO) == 0) {
    throw Error(ErrorClass::kUsage, "needs a confirmation, and nobody can be asked here")
        .because(question)
        .hint("look at what it is about, then give --yes");
  }
  std::fprintf(stderr, "%s\nType 'yes' to go on: ", question.c_str());
  std::string answer;
  co_await program.world.blocking.run([&answer] { std::getline(std::cin, answer); });
  co_return trim(answer) == "yes";
}

}  // namespace blackstart::cli
