#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "stages/kube/crd_versions.h"
#include "tests/unit/stages/bench.h"

namespace blackstart::stages {
namespace {

using engine::Decision;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kPath =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";

/// A definition that serves `versions`, with `metadata` (JSON) beside its name.
std::string crd(std::vector<std::string> versions, const std::string& metadata = "{}",
                const std::string& status = "{}") {
  std::vector<std::string> listed;
  for (const auto& version : versions)
    listed.push_back(R"({"name": ")" + version + R"(", "served": true, "storage": )" +
                     (version == versions.back() ? "true" : "false") + "}");
  std::string head = metadata.size() > 2 ? metadata.substr(1, metadata.size() - 2) + ", " : "";
  return R"({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {)" +
         head + R"("name": "widgets.example.com"},
    "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
             "versions": [)" +
         join(listed, ", ") + R"(]}, "status": )" + status + "}";
}

std::string why(const std::string& wanted, const std::string& live) {
  return why_downgrade(boost::json::parse(wanted), boost::json::parse(live));
}

TEST(CrdVersions, ApiVersions_FollowKubernetesOrder) {
  const std::vector<std::string> order = {"foo",     "v1alpha1", "v1alpha2", "v2alpha1",
                                          "v1beta1", "v1",       "v2",       "v10"};
  for (size_t i = 0; i < order.size(); ++i)
    for (size_t j = 0; j < order.size(); ++j)
      EXPECT_EQ(older_api_version(order[i], order[j]), i < j) << order[i] << " " << order[j];
}

TEST(CrdVersions, Releases_AreComparedByNumberNotByText) {
  EXPECT_TRUE(older_release("v2.9.1", "v2.10.0"));
  EXPECT_TRUE(older_release("3.0.0-rc1", "3.0.0"));
  EXPECT_TRUE(older_release("1.2", "1.2.1"));
  EXPECT_FALSE(older_release("3.0.0", "3.0.0-rc1"));
  EXPECT_FALSE(older_release("v1.2.3", "1.2.3"));
  EXPECT_FALSE(older_release("latest", "v1.0.0"));
  EXPECT_TRUE(older_release("3.0.0-rc.9", "3.0.0-rc.10"));
  EXPECT_FALSE(older_release("3.0.0-rc.10", "3.0.0-rc.9"));
  EXPECT_TRUE(older_release("3.0.0-alpha.9", "3.0.0-beta.1"));
  EXPECT_TRUE(older_release("3.0.0-1", "3.0.0-rc")) << "a number is below a word";
  EXPECT_TRUE(older_release("3.0.0-rc", "3.0.0-rc.1"));
}

TEST(CrdVersions, OldVersionDropped_IsAnUpgrade) {
  EXPECT_EQ(why(crd({"v1"}), crd({"v1beta1", "v1"})), "");
}

TEST(CrdVersions, NewestVersionMissing_IsAStepBack) {
  EXPECT_THAT(why(crd({"v1beta1"}), crd({"v1beta1", "v1"})), HasSubstr("serves v1"));
}

TEST(CrdVersions, StoredVersionDropped_IsNoStepBackButWantsAMigration) {
  const std::string wanted = crd({"v1"});
  const std::string live =
      crd({"v1alpha1", "v1"}, "{}", R"({"storedVersions": ["v1alpha1", "v1"]})");
  EXPECT_EQ(why(wanted, live), "");
  auto unmigrated = [](const std::string& left, const std::string& right) {
    return why_unmigrated(boost::json::parse(left), boost::json::parse(right));
  };
  EXPECT_THAT(unmigrated(wanted, live), HasSubstr("stored as v1alpha1"));
  EXPECT_EQ(unmigrated(wanted, crd({"v1"}, "{}", R"({"storedVersions": ["v1"]})")), "");
}

TEST(CrdVersions, StoredVersionNewerThanAllWanted_IsAStepBack) {
  EXPECT_THAT(why(crd({"v1beta1"}), crd({"v1beta1"}, "{}", R"({"storedVersions": ["v1"]})")),
              HasSubstr("stored as v1"));
}

TEST(CrdVersions, Labels_OfTheSameChartAreCompared) {
  EXPECT_THAT(why(crd({"v1"}, R"({"labels": {"helm.sh/chart": "argo-cd-9.0.1"}})"),
                  crd({"v1"}, R"({"labels": {"helm.sh/chart": "argo-cd-10.1.1"}})")),
              HasSubstr("argo-cd 10.1.1"));
  EXPECT_EQ(why(crd({"v1"}, R"({"labels": {"helm.sh/chart": "other-1.0.0"}})"),
                crd({"v1"}, R"({"labels": {"helm.sh/chart": "argo-cd-10.1.1"}})")),
            "");
  EXPECT_THAT(why(crd({"v1"}, R"({"labels": {"app.kubernetes.io/version": "v2.13.2"}})"),
                  crd({"v1"}, R"({"labels": {"app.kubernetes.io/version": "v3.2.11"}})")),
              HasSubstr("v3.2.11"));
}

TEST(CrdVersions, NameAndVersionOfAChart_ArePartedAtTheDottedVersion) {
  auto of = [](const std::string& chart) {
    return crd({"v1"}, R"({"labels": {"helm.sh/chart": ")" + chart + R"("}})");
  };
  EXPECT_THAT(why(of("log-2-1.0.0"), of("log-2-1.1.0")), HasSubstr("chart log-2 1.1.0"));
  EXPECT_THAT(why(of("web-1.0.0-2"), of("web-1.0.0-10")), HasSubstr("chart web 1.0.0-10"));
  EXPECT_THAT(why(of("web-1.0.0_b"), of("web-1.1.0_a")), HasSubstr("chart web 1.1.0"));
}

TEST(CrdVersions, MoreTellingMark_OutweighsTheGenerators) {
  EXPECT_EQ(why(crd({"v1"}, R"({"labels": {"app.kubernetes.io/version": "v3.2.11"},
                                "annotations": {"controller-gen.kubebuilder.io/version": "v0.14.0"}})"),
                crd({"v1"}, R"({"labels": {"app.kubernetes.io/version": "v3.1.0"},
                                "annotations": {"controller-gen.kubebuilder.io/version": "v0.16.0"}})")),
            "");
}

constexpr const char* kEstablished =
    R"({"conditions": [{"type": "Established", "status": "True"}, {"type": "NamesAccepted", "status": "True"}]})";

class Crds : public testing::Test {
 protected:
  explicit Crds(const std::string& more = "")
      : bench("kube.crds", "sources: [{path: crds}]" + more,
              {{"/p/crds/widget.yaml", crd({"v1beta1"})},
               {"/p/crds/other.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: not-a-definition}\n"}}) {
    bench.api.on_apply = [](boost::json::object& object) {
      object["status"] = boost::json::parse(kEstablished);
    };
  }
  Bench bench;
};

class CrdsDown : public Crds {
 protected:
  CrdsDown() : Crds("\nallowDowngrade: true") {}
};

TEST_F(Crds, Applied_OnlyDefinitionsAndTheSecondRunWritesNothing) {
  Decision decision = bench.decide();
  EXPECT_THAT(decision.actions.front().details,
              ElementsAre("+ CustomResourceDefinition widgets.example.com"));
  EXPECT_EQ(bench.converge(), 1);
  EXPECT_THAT(bench.api.writes, ElementsAre("PATCH " + kPath));
  EXPECT_EQ(bench.converge(), 0);
}

TEST_F(Crds, NewerOneInTheCluster_IsNotReplaced) {
  bench.api.put(kPath, boost::json::parse(crd({"v1beta1", "v1"}, "{}", kEstablished)));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.causes, Contains(HasSubstr("widgets.example.com: it serves v1")));
  EXPECT_THAT(decision.hint, HasSubstr("allowDowngrade"));
  EXPECT_THAT(bench.api.writes, IsEmpty());
}

/// The cluster's definition, which the plan wants without v1alpha1.
std::string with_alpha_stored() {
  std::string established = kEstablished;
  established.pop_back();
  return crd({"v1alpha1", "v1beta1"}, "{}",
             established + R"(, "storedVersions": ["v1alpha1", "v1beta1"]})");
}

TEST_F(Crds, ObjectsMayBeStoredInADroppedVersion_SaysHowToMigrate) {
  bench.api.put(kPath, boost::json::parse(with_alpha_stored()));
  Decision decision = bench.decide();
  EXPECT_EQ(decision.kind, Decision::Kind::kBlocked);
  EXPECT_THAT(decision.causes, Contains(HasSubstr("stored as v1alpha1")));
  EXPECT_THAT(decision.hint, HasSubstr("status.storedVersions"));
}

TEST_F(CrdsDown, Asked_AMigrationIsStillNeeded) {
  bench.api.put(kPath, boost::json::parse(with_alpha_stored()));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kBlocked);
}

TEST_F(CrdsDown, Asked_IsReplaced) {
  bench.api.put(kPath, boost::json::parse(crd({"v1beta1", "v1"}, "{}", kEstablished)));
  EXPECT_EQ(bench.decide().kind, Decision::Kind::kAct);
}

TEST_F(Crds, ObjectsExist_RemovalIsRefusedAndNamesThem) {
  bench.converge();
  bench.api.put("/apis/example.com/v1beta1/namespaces/web/widgets/first",
                boost::json::parse(R"({"apiVersion": "example.com/v1beta1", "kind": "Widget"})"));
  bench.decide_removal();
  try {
    bench.act("remove");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kPermanent);
    EXPECT_THAT(error.summary(), HasSubstr("Widget web/first"));
  }
  EXPECT_NE(bench.api.find(kPath), nullptr);
}

TEST_F(Crds, ObjectsCannotBeListed_OnlyRemovalFails) {
  bench.converge();
  auto inner = bench.http.handler;
  bench.http.handler = [inner](HttpRequest request) -> Task<HttpResponse> {
    if (request.url.find("/widgets?") != std::string::npos)
      co_return kube::status_response(403, "Forbidden", "User \"x\" cannot list widgets");
    co_return co_await inner(std::move(request));
  };
  EXPECT_EQ(bench.converge(), 0);
  bench.decide_removal();
  EXPECT_THROW(bench.act("remove"), Error);
  EXPECT_NE(bench.api.find(kPath), nullptr);
}

TEST_F(Crds, Removal_ListsTheStoredVersion) {
  bench.api.put(kPath, boost::json::parse(crd({"v1beta1", "v1"}, "{}", kEstablished)));
  bench.api.put("/apis/example.com/v1/namespaces/web/widgets/first",
                boost::json::parse(R"({"apiVersion": "example.com/v1", "kind": "Widget"})"));
  bench.decide_removal();
  EXPECT_THROW(bench.act("remove"), Error);
}

TEST_F(Crds, NoObjects_RemovalTakesTheDefinitions) {
  bench.converge();
  EXPECT_EQ(bench.decide_removal().kind, Decision::Kind::kAct);
  bench.act("remove");
  EXPECT_EQ(bench.api.find(kPath), nullptr);
}

TEST(CrdsSources, OneDefinitionFromTwoSources_IsAMistakeThatNamesBoth) {
  Bench bench("kube.crds", "sources: [{path: a}, {path: b}]",
              {{"/p/a/w.yaml", crd({"v1"})}, {"/p/b/w.yaml", crd({"v1"})}});
  try {
    bench.observe();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.error_class(), ErrorClass::kUsage);
    EXPECT_THAT(error.summary(), HasSubstr("from a and from b"));
  }
}

TEST(CrdsSources, Chart_IsRenderedOnceWithItsDefinitions) {
  Bench bench("kube.crds",
              "sources: [{chart: {name: argo-cd, repo: https://charts.example, version: 9.0.1}}]");
  bench.processes.handler = [](const Command& command) {
    Exit exit;
    exit.out = command.args.front() == "version" ? "v3.21.4" : crd({"v1"});
    return exit;
  };
  bench.api.on_apply = [](boost::json::object& object) {
    object["status"] = boost::json::parse(kEstablished);
  };
  bench.converge();
  EXPECT_EQ(bench.processes.ran.size(), 2u);
  EXPECT_THAT(bench.processes.ran.back(),
              HasSubstr("argo-cd --repo https://charts.example --version 9.0.1 --include-crds"));
}

TEST(CrdsSources, Chart_IsRenderedWithWhatStandsBesideIt) {
  Bench bench("kube.crds",
              "sources: [{chart: {path: c}, values: [v.yaml], set: {crds: {enabled: true, key: "
              "\"${{ vars.token }}\"}}, namespace: cert-manager, release: cm}]",
              {{"/p/c/Chart.yaml", ""}, {"/p/v.yaml", "{}"}});
  std::string fed;
  bench.processes.handler = [&fed](const Command& command) {
    Exit exit;
    exit.out = command.args.front() == "version" ? "v3.21.4" : crd({"v1"});
    fed = command.input.value_or("");
    return exit;
  };
  bench.decide();
  EXPECT_THAT(bench.processes.ran.back(), HasSubstr("helm template cm /p/c "));
  EXPECT_THAT(bench.processes.ran.back(),
              HasSubstr("--namespace cert-manager --values /p/v.yaml --values -"));
  EXPECT_EQ(fed, R"({"crds":{"enabled":true,"key":"token-of-the-plan"}})");
  bench.context().output(Stream::kStdout, "helm says token-of-the-plan");
  EXPECT_THAT(bench.published(), testing::Not(HasSubstr("token-of-the-plan")));
}

TEST(CrdsSources, ChartThatDoesNotRender_SaysHelmsOwnWords) {
  Bench bench("kube.crds", "sources: [{chart: {path: chart}}]",
              {{"/p/chart/Chart.yaml", "name: x"}});
  bench.processes.handler = [](const Command& command) {
    Exit exit;
    exit.out = "v3.21.4";
    if (command.args.front() != "template") return exit;
    exit.code = 1;
    exit.err = "Error: parse error at (x/templates/a.yaml:3): unclosed action\n";
    return exit;
  };
  try {
    bench.observe();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.summary(), HasSubstr("chart chart does not render"));
    EXPECT_THAT(error.causes(), Contains(HasSubstr("unclosed action")));
  }
}

}  // namespace
}  // namespace blackstart::stages
