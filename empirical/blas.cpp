#include "empirical/blas.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

namespace nngpcheck::empirical {

namespace {

// A BLAS is loaded with LibTorch and known by its symbols alone.
template <class Function>
Function* loaded(const char* symbol) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, symbol));
}

/// The library that holds BLAS's products, symbolic links resolved; empty if it cannot be told.
std::filesystem::path blas_path() {
  Dl_info library{};
  if (dladdr(dlsym(RTLD_DEFAULT, "dgemm_"), &library) == 0 || !library.dli_fname) return {};
  std::error_code error;
  return std::filesystem::canonical(library.dli_fname, error);
}

}  // namespace

std::string blas_name() {
  if (auto* configuration = loaded<char*()>("openblas_get_config")) {
    const std::string text = configuration();  // "OpenBLAS 0.3.21 DYNAMIC_ARCH …"
    return text.substr(0, text.find(' ', text.find(' ') + 1));
  }
  const std::filesystem::path path = blas_path();
  return path.empty() ? "unknown BLAS" : path.string();
}

}  // namespace nngpcheck::empirical
