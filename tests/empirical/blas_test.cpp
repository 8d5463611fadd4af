#include "empirical/blas.hpp"

#include <gtest/gtest.h>

namespace nngpcheck::empirical {
namespace {

TEST(Blas, TellsTheReferenceFromOthersByTheirPath) {
  EXPECT_TRUE(is_reference_blas("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0"));
  EXPECT_TRUE(is_reference_blas("/usr/lib64/libblas.so.3"));
  EXPECT_FALSE(is_reference_blas("/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3"));
  EXPECT_FALSE(is_reference_blas("/usr/lib/x86_64-linux-gnu/blis-openmp/libblas.so.3"));
  EXPECT_FALSE(is_reference_blas("/opt/libtorch/lib/libtorch_cpu.so"));
  EXPECT_FALSE(is_reference_blas(""));
}

TEST(Blas, NamesMklByItsVersion) {
  EXPECT_EQ(
      mkl_name("Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64"),
      "MKL 2024.2");
  EXPECT_EQ(mkl_name("Version 2025"), "MKL 2025");
  EXPECT_EQ(mkl_name("something else"), "MKL");
}

}  // namespace
}  // namespace nngpcheck::empirical
