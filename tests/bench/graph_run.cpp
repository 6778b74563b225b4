// graph_run FOLDER: loads FOLDER/plan.yaml and applies it with the real engine and the real
// journal. Its stages are files that must be there: the engine's own cost, beside ninja's on the
// same graph.
#include <cstdio>

#include "orchestrator/engine/run.h"
#include "orchestrator/world/real.h"

namespace blackstart {
namespace {

class FileStage final : public engine::Stage {
 public:
  Task<engine::Observation> observe(engine::Context& context) override {
    bool there = context.world().files.kind(context.text("path")) == FileKind::kFile;
    co_return there ? engine::Observation::present("it is there")
                    : engine::Observation::absent("it is missing");
  }
  engine::Decision decide(const engine::Observation& seen) const override {
    return seen.is_present() ? engine::Decision::satisfied()
                             : engine::Decision::blocked("the file is missing");
  }
  Task<void> act(engine::Context&, const engine::Action&) override { co_return; }
};

const engine::StageType kFile{
    .schema = {.name = "bench.file",
               .summary = "A file that is there.",
               .options = {{.name = "path", .required = true, .summary = "absolute path"}}},
    .work = engine::Work::kLight,
    .make = []() -> std::unique_ptr<engine::Stage> { return std::make_unique<FileStage>(); },
};

class BenchCatalog final : public engine::Catalog {
 public:
  const engine::StageType* find(std::string_view uses) const override {
    return uses == kFile.schema.name ? &kFile : nullptr;
  }
  std::vector<std::string> names() const override { return {kFile.schema.name}; }
};

Task<void> apply(World& world, std::string folder, int& code) {
  BenchCatalog catalog;
  Diagnostics diagnostics;
  plan::Request request;
  request.file = folder + "/plan.yaml";
  auto plan = plan::load(world.files, world.environment, request, catalog, diagnostics);
  for (const Diagnostic& finding : diagnostics.sorted())
    std::fprintf(stderr, "%s\n", finding.message.c_str());
  if (!plan) co_return;
  engine::Graph graph(*plan);
  auto opened = co_await journal::open(world, folder + "/journal.db", false);
  events::Bus bus(world.clock);
  engine::Tools tools(world, {});
  engine::RunOptions options;
  std::string run = journal::new_run_id(world);
  engine::Session session(world, bus, *opened.journal, *plan, catalog, graph, tools, run, folder,
                          options);
  engine::Selection everything;
  engine::RunResult result =
      co_await engine::apply(session, engine::select(*plan, graph, everything));
  code = result.count(engine::StageState::kSatisfied) == plan->stages.size() ? 0 : 1;
}

}  // namespace
}  // namespace blackstart

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  blackstart::RealWorld real;
  int code = 1;
  real.run(blackstart::apply(real.world(), argv[1], code), [](int, int) {});
  return code;
}
