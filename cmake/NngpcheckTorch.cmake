# LibTorch 1.13 or later: Debian's libtorch-dev, or another one through CMAKE_PREFIX_PATH.
include(NngpcheckLibTorch)
find_package(Torch 1.13 QUIET)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "LibTorch was not found. Install it (apt-get install libtorch-dev), point CMAKE_PREFIX_PATH "
                      "to another one, or build without it: -DNNGPCHECK_LIBTORCH=OFF")
endif()
if(TORCH_CXX_FLAGS MATCHES "_GLIBCXX_USE_CXX11_ABI=0")
  message(FATAL_ERROR "This LibTorch was built for the old C++ ABI; take the download called \"cxx11 ABI\"")
endif()

# nngpcheck_use_torch(<target>) links LibTorch privately, and includes its slow headers precompiled in every
# source that does not opt out by the property SKIP_PRECOMPILE_HEADERS. The first target compiles them for all.
function(nngpcheck_use_torch target)
  target_link_libraries(${target} PRIVATE nngpcheck::libtorch)
  get_property(owner GLOBAL PROPERTY nngpcheck_torch_headers)
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE <torch/torch.h>)
    set_property(GLOBAL PROPERTY nngpcheck_torch_headers ${target})
  endif()
endfunction()
