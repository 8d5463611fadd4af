# nngpcheck::libtorch: the LibTorch that find_package(Torch) finds after this, under one name. An imported target, so that
# exported targets refer to it by name and not by where this machine keeps its libraries; the package makes its own.
#
# It stands for LibTorch's targets and not for TORCH_LIBRARIES: those are searched for by name, and found in the system's
# folders first, where those of another version may lie.
if(NOT TARGET nngpcheck::libtorch)
  add_library(nngpcheck::libtorch INTERFACE IMPORTED)
  set_target_properties(nngpcheck::libtorch PROPERTIES INTERFACE_LINK_LIBRARIES "torch;torch_library")
endif()

# A LibTorch for CUDA asks for the CUDA toolkit that it was built with, unless this target is there. Nothing here is compiled
# for CUDA, and LibTorch's libraries find those of CUDA themselves. Projects that need more find Torch before nngpcheck.
if(NOT TARGET torch AND NOT TARGET torch::cudart)
  add_library(torch::cudart INTERFACE IMPORTED)
endif()
# It warns if this library of its own is not found, which its wheels leave out; only TORCH_LIBRARIES has it.
set(kineto_LIBRARY torch)
