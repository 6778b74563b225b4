#include "stages/helm/release_options.h"

#include <boost/json/serialize.hpp>

#include "orchestrator/base/text.h"
#include "stages/helm/values.h"
#include "stages/kube/sources.h"
#include "stages/secret_value.h"

namespace blackstart::stages::helm {
namespace {

namespace json = boost::json;

constexpr size_t kStampLength = 16;

json::value read_set(engine::Context& context) {
  if (!context.has("set")) return json::object();
  redact_sensitive(context, context.option("set"));
  return context.option("set").to_json();
}

/// "argo-cd 3.2.11 "; empty for an archive.
std::string label_of(const Chart& chart) {
  return chart.name.empty() ? "" : chart.name + " " + chart.version + " ";
}

}  // namespace

WantedRelease read_wanted(engine::Context& context) {
  const Files& files = context.world().files;
  WantedRelease wanted;
  wanted.release = context.text("release");
  wanted.name_space = context.text("namespace");
  wanted.chart = read_chart(files, context.option("chart"));
  if (!wanted.chart.digest.empty())
    wanted.chart.display =
        label_of(wanted.chart) + "from " + shown(context, wanted.chart.reference.path);
  wanted.values_files = context.texts("values");
  for (const std::string& file : wanted.values_files)
    wanted.values_shown.push_back(shown(context, file));
  wanted.set = read_set(context);
  wanted.values = merge_values(load_values(files, wanted.values_files), wanted.set);
  wanted.timeout = context.option("timeout").as_duration();
  wanted.grace = context.option("grace").as_duration();
  wanted.unfinished_grace = context.option("unfinishedGrace").as_duration();
  wanted.create_namespace = context.flag("createNamespace");
  wanted.skip_crds = context.flag("skipCrds");
  wanted.take_ownership = context.flag("takeOwnership");
  wanted.reclaim = context.flag("reclaim");
  wanted.force = context.flag("force");
  wanted.wait = context.flag("wait");
  // What is local counts by its content, wherever it lies; what is fetched by its name and version.
  const Chart& chart = wanted.chart;
  std::string what = chart.digest.empty()
                         ? chart.reference.argument + '\n' + join(chart.reference.flags, " ")
                         : chart.digest;
  std::string values = plan::Value::of(wanted.values, {}).canonical();
  wanted.stamp = sha256_hex(what + '\n' + values).substr(0, kStampLength);
  return wanted;
}

}  // namespace blackstart::stages::helm
