#include "orchestrator/base/path.h"

#include <gtest/gtest.h>

namespace blackstart {
namespace {

TEST(Path, FolderOf) {
  EXPECT_EQ(folder_of("/a/b"), "/a");
  EXPECT_EQ(folder_of("/a"), "/");
  EXPECT_EQ(folder_of("a"), ".");
}

TEST(Path, AbsolutePath_IsSeenFromTheFolder) {
  EXPECT_EQ(absolute_path("/a", "b/"), "/a/b");
  EXPECT_EQ(absolute_path("/a", "././b"), "/a/b");
  EXPECT_EQ(absolute_path("/a", "/b"), "/b");
  EXPECT_EQ(absolute_path("/a", "."), "/a");
  EXPECT_EQ(absolute_path("/a", ""), "/a");
  EXPECT_EQ(absolute_path("/", "b"), "/b");
}

TEST(Path, NormalPath_HasNothingThatLeadsNowhere) {
  EXPECT_EQ(normal_path("/a/./b/../c//"), "/a/c");
  EXPECT_EQ(normal_path("/.."), "/");
  EXPECT_EQ(normal_path("/"), "/");
}

}  // namespace
}  // namespace blackstart
