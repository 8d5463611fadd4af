#include "nngpcheck/empirical/interpreter/blas.hpp"

#include <gtest/gtest.h>

namespace nngpcheck::empirical {
namespace {

TEST(Blas, NamesMklByItsVersion) {
  EXPECT_EQ(
      mkl_name("Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64"),
      "MKL 2024.2");
  EXPECT_EQ(mkl_name("Version 2025"), "MKL 2025");
  EXPECT_EQ(mkl_name("something else"), "MKL");
}

}  // namespace
}  // namespace nngpcheck::empirical
