// The linear algebra library underneath LibTorch, which multiplies in users' modules; samplers do not call
// it.
#pragma once

#include <string>

namespace nngpcheck::empirical {

/// "OpenBLAS 0.3.21", or the path of the library that LibTorch takes products from.
std::string blas_name();

}  // namespace nngpcheck::empirical
