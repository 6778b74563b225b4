#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "orchestrator/base/error.h"
#include "orchestrator/base/text.h"
#include "stages/helm/release_record.h"
#include "tests/unit/stages/helm_fixture.h"

namespace blackstart::stages::helm {
namespace {

TEST(HelmRecord, AReleaseAsHelmStoresIt_IsReadWhole) {
  Release release = decode_release(release_secret(3, "deployed", R"({"web": {"port": 80}})"));
  EXPECT_EQ(release.revision, 3);
  EXPECT_EQ(release.status, "deployed");
  EXPECT_EQ(release.chart, "web");
  EXPECT_EQ(release.version, "1.0.0");
  EXPECT_EQ(release.secret, "sh.helm.release.v1.web.v3");
  EXPECT_EQ(release.config, boost::json::parse(R"({"web": {"port": 80}})"));
  EXPECT_EQ(release.files.at("templates/a.yaml"), "kind: ConfigMap\n");
  EXPECT_EQ(release.files.at("crds/b.yaml"), "kind: X\n");
  EXPECT_EQ(release.modified, WallTime(std::chrono::seconds(1700000000)));
}

TEST(HelmRecord, WithoutValues_TheConfigIsAnEmptyMap) {
  EXPECT_EQ(decode_release(release_secret(1, "deployed", "null")).config, boost::json::object());
}

TEST(HelmRecord, WhatIsNoRelease_IsAnErrorThatNamesTheSecret) {
  for (const char* data : {"", "!!!", "aGVsbG8=", "SDRzSUFBQUE="}) {
    boost::json::value secret = release_secret(1, "deployed", "{}");
    secret.as_object()["data"].as_object()["release"] = data;
    try {
      decode_release(secret);
      ADD_FAILURE() << "decoded: " << data;
    } catch (const Error& error) {
      EXPECT_THAT(error.summary(), testing::HasSubstr("web/sh.helm.release.v1.web.v1"));
    }
  }
}

TEST(HelmRecord, ATruncatedRelease_IsAnErrorAtEveryLength) {
  boost::json::value secret = release_secret(1, "deployed", "{}");
  std::string whole =
      *base64_decode(*base64_decode(std::string(secret.at("data").at("release").as_string())));
  for (size_t length = 0; length < whole.size(); length += 7) {
    std::string cut = base64_encode(base64_encode(whole.substr(0, length)));
    secret.as_object()["data"].as_object()["release"] = cut;
    EXPECT_THROW(decode_release(secret), Error) << length;
  }
}

TEST(HelmRecord, LastGood_IsTheHighestThatOnceWasDeployedBelowTheGivenOne) {
  std::vector<Release> releases;
  for (auto [revision, status] : {std::pair(1, "superseded"), std::pair(2, "superseded"),
                                  std::pair(3, "failed"), std::pair(4, "pending-upgrade")}) {
    Release release;
    release.revision = revision;
    release.status = status;
    releases.push_back(release);
  }
  EXPECT_EQ(newest(releases)->revision, 4);
  EXPECT_EQ(last_good(releases, 4)->revision, 2);
  EXPECT_EQ(last_good(releases, 1), nullptr);
  EXPECT_EQ(newest({}), nullptr);
}

}  // namespace
}  // namespace blackstart::stages::helm
