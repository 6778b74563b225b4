#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "stages/helm/helm_command.h"

namespace blackstart::stages::helm {
namespace {

using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;
using Words = std::vector<std::string>;

WantedRelease wanted_release() {
  WantedRelease wanted;
  wanted.release = "web";
  wanted.name_space = "apps";
  wanted.chart.reference.argument = "web";
  wanted.chart.reference.flags = {"--repo", "https://r", "--version", "1.0.0"};
  wanted.timeout = std::chrono::milliseconds(90500);
  wanted.stamp = "abc";
  wanted.force = true;
  return wanted;
}

TEST(HelmCommand, TheClusterIsAlwaysNamed) {
  Target target{"/k", "lab"};
  for (const Words& words : {upgrade_arguments(wanted_release(), {}, 3, target),
                             rollback_arguments(wanted_release(), 2, 3, target),
                             uninstall_arguments(wanted_release(), target)})
    EXPECT_THAT(words, IsSupersetOf(
                           {"--kubeconfig", "/k", "--kube-context", "lab", "--namespace", "apps"}));
}

TEST(HelmCommand, BothMajorsAreToldNotToWaitForObjects) {
  Words three = upgrade_arguments(wanted_release(), {"/a.yaml", "/b.yaml"}, 3, {"/k", "lab"});
  EXPECT_THAT(three, Contains("--wait=false"));
  EXPECT_THAT(three, Not(Contains("--force-conflicts"))) << "helm 3 does not know it";
  EXPECT_THAT(three, IsSupersetOf({"--values", "/a.yaml", "/b.yaml", "--reset-values",
                                   "--hide-notes", "91s"}));
  Words four = upgrade_arguments(wanted_release(), {}, 4, {"/k", "lab"});
  EXPECT_THAT(four, IsSupersetOf({"--wait=hookOnly", "--server-side=auto", "--force-conflicts"}));
}

TEST(HelmCommand, ValuesFilesAreNamedAsHelmReadsAList) {
  Words words = upgrade_arguments(wanted_release(), {"/x,y={z}/a \"b\".yaml"}, 3, {"/k", "lab"});
  EXPECT_THAT(words, Contains("\"/x,y={z}/a \"\"b\"\".yaml\""));
}

TEST(HelmCommand, FailuresAreClassifiedByWhatHelmSays) {
  const std::vector<std::pair<const char*, ErrorClass>> rows = {
      {"Error: Kubernetes cluster unreachable: Get \"https://x/version\": dial tcp: connect: "
       "connection refused",
       ErrorClass::kUnreachable},
      {"Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
       ErrorClass::kTransient},
      {"Error: Internal error occurred: failed calling webhook \"w\": context deadline exceeded",
       ErrorClass::kTransient},
      {"Error: secrets is forbidden: User \"x\" cannot list resource", ErrorClass::kAuthentication},
      {"Error: pods \"web\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1",
       ErrorClass::kPermanent},
      {"Error: pods \"web\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot",
       ErrorClass::kPermanent},
      {"Error: template: web/templates/x.yaml:1:10: nil pointer evaluating interface {}.x",
       ErrorClass::kPermanent},
      {"Error: open values.yaml: no such file or directory", ErrorClass::kPermanent},
      {"Error: context deadline exceeded", ErrorClass::kPermanent},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(classify_failure(text), expected) << text;
}

}  // namespace
}  // namespace blackstart::stages::helm
