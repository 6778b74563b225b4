#include <gtest/gtest.h>

#include "stages/catalog.h"
#include "stages/order.h"
#include "tests/unit/kube/scripted_world.h"

namespace blackstart::stages {
namespace {

plan::Plan plan_of(const std::string& stages) {
  kube::MemoryFiles files;
  files.content["/p/plan.yaml"] =
      "apiVersion: blackstart.dev/v1alpha1\nkind: Plan\nmetadata: {name: p}\nspec:\n"
      "  cluster: {kubeconfig: k}\n  stages:\n" +
      stages;
  files.content["/p/k"] = "";
  plan::Request request;
  request.file = "/p/plan.yaml";
  Diagnostics diagnostics;
  kube::ScriptedWorld world;
  auto plan = plan::load(files, world.world().environment, request, catalog(), diagnostics);
  if (!plan) throw std::logic_error(diagnostics.sorted().front().message);
  return std::move(*plan);
}

constexpr const char* kStages = R"(
    - {name: git, uses: argocd.repository, with: {name: git, url: "https://git/lab"}}
    - {name: charts, uses: argocd.repository, with: {name: charts, url: "${{ 'x' }}"}}
    - {name: ns, uses: kube.namespace, needs: [git], with: {name: argocd}}
    - {name: root, uses: exec, needs: [ns], with: {argv: [/bin/true]}}
)";

TEST(Order, WhatComesBefore_IsFoundThroughAllNeeds) {
  plan::Plan plan = plan_of(kStages);
  Others others = stages_of_type(plan, *plan.find("root"), "argocd.repository");
  ASSERT_EQ(others.all.size(), 2u);
  ASSERT_EQ(others.before.size(), 1u);
  EXPECT_EQ(others.before[0]->name, "git");
  EXPECT_TRUE(stages_of_type(plan, *plan.find("git"), "argocd.repository").before.empty());
}

TEST(Order, AnOptionIsReadOnlyAsItIsWritten) {
  plan::Plan plan = plan_of(kStages);
  EXPECT_EQ(written_option(*plan.find("git"), "url"), "https://git/lab");
  EXPECT_EQ(written_option(*plan.find("charts"), "url"), "") << "it is an expression";
  EXPECT_EQ(written_option(*plan.find("git"), "project"), "");
}

}  // namespace
}  // namespace blackstart::stages
