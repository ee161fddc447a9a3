// SPDX-License-Identifier: GPL-2.0
#include "machine/share.hpp"

#include <gtest/gtest.h>

#include "temporary.hpp"

namespace vmctl {
namespace {

TEST(ShareSpec, FolderTagAndReadOnly) {
  const auto plain = parse_share("/srv/data");
  EXPECT_EQ(plain->path, "/srv/data");
  EXPECT_EQ(plain->tag, "share");
  EXPECT_FALSE(plain->read_only);
  for (const char* text : {"/srv,tag=data,ro", "/srv,ro,tag=data"}) {
    const auto spec = parse_share(text);
    EXPECT_EQ(spec->path, "/srv");
    EXPECT_EQ(spec->tag, "data");
    EXPECT_TRUE(spec->read_only);
  }
  const auto commas = parse_share("/srv/a,b,c,ro");
  EXPECT_EQ(commas->path, "/srv/a,b,c");
  EXPECT_TRUE(commas->read_only);
}

TEST(ShareSpec, Refusals) {
  for (const std::string& text :
       {std::string(""), std::string(",ro"), std::string("/srv,tag="), std::string("/srv,tag=a b"),
        "/srv,tag=" + std::string(37, 'x')}) {
    const auto spec = parse_share(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().status, Status::usage);
  }
  EXPECT_TRUE(parse_share("/srv,tag=" + std::string(36, 'x')));
}

TEST(ShareSpec, ATagIsOneFolders) {
  const ShareSpec one{.path = "/a"};
  const ShareSpec same{.path = "/b"};
  const ShareSpec other{.path = "/b", .tag = "other"};
  EXPECT_TRUE(check_shares({one, other}));
  const auto refused = check_shares({one, other, same});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "--share /b");
}

TEST(ShareSpec, OpensADevice) {
  const test::TemporaryFolder folder;
  const auto port = open_share({.path = folder.path("")});
  ASSERT_TRUE(port);
  EXPECT_EQ((*port)->device().type(), 26);
  EXPECT_EQ(open_share({.path = folder.path("missing")}).error().status, Status::no_input);
}

}  // namespace
}  // namespace vmctl
