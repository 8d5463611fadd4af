// The linear algebra library underneath LibTorch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nngpcheck::empirical {

/// "OpenBLAS 0.3.21", "MKL 2024.2", or the path of the library that LibTorch takes products from.
std::string blas_name();

/// "MKL 2024.2" of what MKL says of its version: "Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build …".
std::string mkl_name(std::string_view version);

/// Says so if LibTorch runs on the reference BLAS, which is many times slower, and how to install OpenBLAS.
std::optional<std::string> blas_warning();

/// Whether the shared library of this path, symbolic links resolved, is the reference BLAS: a libblas that no
/// faster library stands in for.
bool is_reference_blas(std::string_view path);

/// While it lives, OpenBLAS (if it is there) uses one thread per caller: at::set_num_threads does not bind
/// it. The setting is the whole process's.
class SingleBlasThread {
 public:
  SingleBlasThread();
  ~SingleBlasThread();
  SingleBlasThread(const SingleBlasThread&) = delete;
  SingleBlasThread& operator=(const SingleBlasThread&) = delete;

 private:
  int before_ = 0;  // 0: OpenBLAS is not there
};

}  // namespace nngpcheck::empirical
