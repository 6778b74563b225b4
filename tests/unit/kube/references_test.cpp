#include "orchestrator/kube/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace blackstart::kube {
namespace {

using testing::ElementsAre;

std::vector<std::string> named_by(const char* object) {
  std::vector<std::string> names;
  for (const ObjectRef& ref : references_of(boost::json::parse(object)))
    names.push_back(ref.to_string());
  return names;
}

TEST(References, OfAPod_AreWhatItCannotStartWithout) {
  EXPECT_THAT(named_by(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"a"},
    "spec":{"volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"data"}},
        {"name":"c","configMap":{"name":"settings"}}, {"name":"s","secret":{"secretName":"keys"}},
        {"name":"o","secret":{"secretName":"maybe","optional":true}}, {"name":"e","emptyDir":{}}],
      "initContainers":[{"name":"i","envFrom":[{"configMapRef":{"name":"settings"}}]}],
      "containers":[{"name":"m","env":[{"name":"X","valueFrom":{"secretKeyRef":{"name":"token","key":"k"}}},
        {"name":"Y","value":"1"}]}]}})"),
              ElementsAre("PersistentVolumeClaim a/data", "ConfigMap a/settings", "Secret a/keys",
                          "Secret a/token"));
}

TEST(References, OfARoute_AreItsGatewaysAndServices) {
  EXPECT_THAT(named_by(R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute",
    "metadata":{"name":"r","namespace":"a"},"spec":{"parentRefs":[{"name":"web","namespace":"edge"}],
      "rules":[{"backendRefs":[{"name":"app"},{"kind":"Other","name":"x"}]}]}})"),
              ElementsAre("Gateway edge/web", "Service a/app"));
}

struct Row {
  const char* object;
  const char* names;
};

TEST(References, OfOtherKinds) {
  const Row rows[] = {
      {R"({"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"namespace":"a"},
           "spec":{"issuerRef":{"name":"i"}}})",
       "Issuer a/i"},
      {R"({"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"namespace":"a"},
           "spec":{"issuerRef":{"name":"i","kind":"ClusterIssuer"}}})",
       "ClusterIssuer i"},
      {R"({"apiVersion":"external-secrets.io/v1beta1","kind":"ExternalSecret",
           "metadata":{"namespace":"a"},"spec":{"secretStoreRef":{"name":"vault"}}})",
       "SecretStore a/vault"},
      {R"({"apiVersion":"v1","kind":"PersistentVolumeClaim","spec":{"storageClassName":"fast"}})",
       "StorageClass fast"},
      {R"({"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService",
           "spec":{"service":{"namespace":"m","name":"metrics"}}})",
       "Service m/metrics"},
      {R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway",
           "spec":{"gatewayClassName":"c"}})",
       "GatewayClass c"},
      {R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"namespace":"a"},
           "spec":{"rules":[{"http":{"paths":[{"backend":{"service":{"name":"w"}}}]}}]}})",
       "Service a/w"},
      {R"({"apiVersion":"x.io/v1","kind":"Pod","spec":{"volumes":[{"secret":{"secretName":"s"}}]}})",
       ""},
  };
  for (const Row& row : rows)
    EXPECT_THAT(named_by(row.object),
                *row.names ? testing::Matcher<std::vector<std::string>>(ElementsAre(row.names))
                           : testing::Matcher<std::vector<std::string>>(testing::IsEmpty()))
        << row.object;
}

}  // namespace
}  // namespace blackstart::kube
