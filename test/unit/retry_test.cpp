#include "core/retry.hpp"

#include <gtest/gtest.h>

namespace mvo::core {
namespace {

using namespace std::chrono_literals;

TEST(Retry, WhatAnotherTransactionCaused) {
  EXPECT_TRUE(is_worth_retrying("40001"));
  EXPECT_TRUE(is_worth_retrying("40P01"));
  EXPECT_TRUE(is_worth_retrying("55P03"));
  EXPECT_FALSE(is_worth_retrying("22012"));
  EXPECT_FALSE(is_worth_retrying("57014"));
  EXPECT_FALSE(is_worth_retrying(""));
}

TEST(Retry, PausesDoubleUpToALimit) {
  EXPECT_EQ(pause_before(1), 200ms);
  EXPECT_EQ(pause_before(2), 400ms);
  EXPECT_EQ(pause_before(6), 6400ms);
  EXPECT_EQ(pause_before(7), 10s);
  EXPECT_EQ(pause_before(1000), 10s);
}

TEST(Retry, IsSaid) {
  EXPECT_EQ(describe_retries(1), "tried again 1 time");
  EXPECT_EQ(describe_retries(2), "tried again 2 times");
}

}  // namespace
}  // namespace mvo::core
