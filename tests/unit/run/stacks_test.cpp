// SPDX-License-Identifier: GPL-2.0
#include "run/stacks.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <thread>

namespace vmctl {
namespace {

TEST(Stacks, AreSmallerThanAHugePage) {
  pthread_attr_t before;
  ASSERT_EQ(::pthread_getattr_default_np(&before), 0);
  bound_stacks();
  std::size_t size = 0;
  std::thread([&size] {
    pthread_attr_t own;
    ASSERT_EQ(::pthread_getattr_np(::pthread_self(), &own), 0);
    EXPECT_EQ(::pthread_attr_getstacksize(&own, &size), 0);
    ::pthread_attr_destroy(&own);
  }).join();
  EXPECT_EQ(size, kStackSize);
  ::pthread_setattr_default_np(&before);
  ::pthread_attr_destroy(&before);
}

}  // namespace
}  // namespace vmctl
