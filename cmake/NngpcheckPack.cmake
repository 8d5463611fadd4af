# cpack, in the build folder: a Debian package of what cmake --install installs, which it builds first.
set(CPACK_GENERATOR DEB)
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/cpack.cmake)
set(CPACK_NNGPCHECK_BUILD ${PROJECT_BINARY_DIR})
if(NNGPCHECK_LIBTORCH)
  set(CPACK_NNGPCHECK_TORCH_CONFIG ${Torch_CONFIG})
endif()
set(CPACK_PACKAGE_VENDOR "nngpcheck")
set(CPACK_PACKAGE_CONTACT "The nngpcheck authors <nngpcheck@localhost>")
set(CPACK_PACKAGE_DESCRIPTION
    "It computes the kernel of a neural network of infinite width, samples random\nnetworks of finite width, and decides, with stated error rates, whether the\ntwo agree.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION math)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "gnuplot-nox, libopenblas0-pthread")
# For the C++ library.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "libarchive-dev, libboost-dev, libeigen3-dev, libfmt-dev, libgtest-dev, libtomlplusplus-dev, libtorch-dev, nlohmann-json3-dev, zlib1g-dev")

# What Debian wants to find in share/doc.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${PROJECT_BINARY_DIR}/changelog.Debian
     "nngpcheck (${PROJECT_VERSION}-1) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
find_program(GZIP gzip REQUIRED)
execute_process(COMMAND ${GZIP} -9nf ${PROJECT_BINARY_DIR}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${PROJECT_BINARY_DIR}/changelog.Debian.gz cmake/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
include(CPack)
