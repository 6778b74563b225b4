#include "stages/argocd/wait_options.h"

#include "stages/argocd/revisions.h"

namespace blackstart::stages::argocd {
namespace {

using engine::Context;
using plan::OptionType;

/// The names of the Applications; empty for `all`.
std::vector<std::string> read_apps(Context& context) {
  const plan::Value& apps = context.option("apps");
  if (apps.kind != plan::Value::Kind::kList) {
    if (apps.as_text() == "all") return {};
    return {apps.as_text()};
  }
  if (apps.as_list().empty())
    throw Error(ErrorClass::kUsage, "`apps` names no Application")
        .at(apps.place)
        .hint("apps: all waits for all there are");
  return context.texts("apps");
}

/// Without a repository nobody can say which commit a branch or tag is.
void check_revision(Context& context) {
  std::string revision = context.text_or("revision", "");
  if (revision.empty() || context.has("repository") || Revisions::is_commit(revision)) return;
  throw Error(ErrorClass::kUsage, "revision " + revision + " is no commit's hex number")
      .at(context.option("revision").place)
      .hint("name the `repository` in which it can be looked up, or give the commit");
}

size_t natural(int64_t number) { return static_cast<size_t>(std::max<int64_t>(0, number)); }

Answer read_answer(const std::string& word) {
  if (word == "wait") return Answer::kWait;
  if (word == "accept") return Answer::kAccept;
  return word == "sync" ? Answer::kSync : Answer::kFail;
}

/// What is not yet as Git has it may be left so; what is broken may not.
bool is_broken(const Verdict& verdict) {
  return verdict.health == "Degraded" || verdict.health == "Progressing";
}

}  // namespace

WaitFor read_wait_for(Context& context) {
  WaitFor wanted;
  wanted.name_space = context.text("namespace");
  wanted.names = read_apps(context);
  check_revision(context);
  wanted.except = context.texts("except");
  wanted.at_least = natural(context.number("atLeast"));
  if (context.has("sets"))
    for (const auto& [name, count] : context.option("sets").as_map())
      wanted.sets[name] = natural(count.as_integer());
  wanted.out_of_sync = read_answer(context.text("outOfSync"));
  wanted.suspended = read_answer(context.text("suspended"));
  wanted.terminate_pinned = context.flag("terminatePinned");
  return wanted;
}

Verdict settled(Verdict verdict, const WaitFor& wanted) {
  using Matter = Verdict::Matter;
  if (verdict.matter == Matter::kPinned && wanted.terminate_pinned)
    verdict.remedy = Remedy::kTerminate;
  bool unsynced = verdict.matter == Matter::kUnsynced;
  bool left = unsynced || verdict.matter == Matter::kFailedSync;
  if (left && wanted.out_of_sync == Answer::kSync) verdict.remedy = Remedy::kSync;
  if (!unsynced && verdict.matter != Matter::kSuspended) return verdict;
  Answer answer = unsynced ? wanted.out_of_sync : wanted.suspended;
  if (answer == Answer::kWait || (answer == Answer::kAccept && is_broken(verdict)))
    verdict.kind = Verdict::Kind::kProgressing;
  else if (answer == Answer::kAccept)
    verdict.kind = Verdict::Kind::kDone;
  return verdict;
}

std::vector<plan::OptionSpec> wait_options() {
  return {
      {.name = "apps",
       .type = OptionType::kAny,
       .default_value = "all",
       .summary = "all, or a list of names; their children are included"},
      {.name = "except",
       .type = OptionType::kList,
       .summary = "names that do not matter",
       .fields = {{.name = "name", .summary = "an Application"}}},
      {.name = "atLeast",
       .type = OptionType::kInteger,
       .default_value = "1",
       .summary = "how many Applications there must be"},
      {.name = "sets",
       .type = OptionType::kMap,
       .summary = "how many Applications an ApplicationSet must have generated, by its name",
       .fields = {{.name = plan::kAnyKey, .type = OptionType::kInteger, .summary = "at least"}}},
      {.name = "repository",
       .type = OptionType::kString,
       .summary = "folder of the Git repository: what is read from it must be at its commits"},
      {.name = "revision",
       .summary = "the commit or name of one to be at; default: each Application's targetRevision"},
      {.name = "outOfSync",
       .type = OptionType::kEnum,
       .default_value = "fail",
       .summary = "what to make of an Application that is OutOfSync and that Argo CD does not sync "
                  "by itself: no automated sync, selfHeal or pruning off (sync: failed ones too)",
       .choices = {"fail", "wait", "accept", "sync"}},
      {.name = "suspended",
       .type = OptionType::kEnum,
       .default_value = "fail",
       .summary = "what to make of an Application in which something is suspended or paused",
       .choices = {"fail", "wait", "accept"}},
      {.name = "terminatePinned",
       .type = OptionType::kBoolean,
       .default_value = "false",
       .summary = "end an operation that has gone on for the grace at another revision than Git is "
                  "at"},
      {.name = "grace",
       .type = OptionType::kDuration,
       .default_value = "20s",
       .summary = "how long an error must persist to end the wait early"},
      {.name = "namespace", .default_value = "argocd", .summary = "where the Applications are"},
  };
}

}  // namespace blackstart::stages::argocd
