# nngpcheck::libtorch: headers and libraries of the LibTorch that was found, under one name. An imported target, so that
# exported targets refer to it by name and not by where this machine keeps its libraries; the package makes its own.
if(NOT TARGET nngpcheck::libtorch)
  add_library(nngpcheck::libtorch INTERFACE IMPORTED)
  set_target_properties(nngpcheck::libtorch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${TORCH_INCLUDE_DIRS}"
    INTERFACE_LINK_LIBRARIES "${TORCH_LIBRARIES}")
endif()
