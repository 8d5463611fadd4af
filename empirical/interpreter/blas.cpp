#include "nngpcheck/empirical/interpreter/blas.hpp"

#include <dlfcn.h>

#include <array>
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
  if (auto* version = loaded<void(char*, int)>("MKL_Get_Version_String")) {
    std::array<char, 200> text{};
    version(text.data(), static_cast<int>(text.size()) - 1);
    return mkl_name(text.data());
  }
  const std::filesystem::path path = blas_path();
  return path.empty() ? "unknown BLAS" : path.string();
}

std::string mkl_name(std::string_view version) {
  constexpr std::string_view before =
      "Version ";  // "Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build …"
  const auto found = version.find(before);
  if (found == version.npos) return "MKL";
  const std::string_view number = version.substr(found + before.size());
  return "MKL " + std::string(number.substr(0, number.find_first_not_of("0123456789.")));
}

}  // namespace nngpcheck::empirical
