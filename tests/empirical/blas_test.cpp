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

}  // namespace
}  // namespace nngpcheck::empirical
