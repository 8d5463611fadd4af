// The linear algebra library underneath LibTorch, which multiplies in users' modules; samplers do not call
// it.
#pragma once

#include <string>
#include <string_view>

namespace nngpcheck::empirical {

/// "OpenBLAS 0.3.21", "MKL 2024.2", or the path of the library that LibTorch takes products from.
std::string blas_name();

/// "MKL 2024.2" of what MKL says of its version: "Intel(R) oneAPI Math Kernel Library Version 2024.2-Product
/// Build …".
std::string mkl_name(std::string_view version);

}  // namespace nngpcheck::empirical
