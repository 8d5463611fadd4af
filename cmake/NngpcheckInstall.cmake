# cmake --install: executable, libraries, public headers, and the package for find_package(nngpcheck).
#
# Headers include each other as "nngpcheck/<folder>/<name>.hpp", and lie in include/nngpcheck/<folder>/.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(nngpcheck_package ${CMAKE_INSTALL_LIBDIR}/cmake/nngpcheck)

# Builds all that is installed, and no tests.
add_custom_target(nngpcheck_installed)
foreach(folder support netsor files inputs architectures analytic kernels import config empirical compare check modules)
  if(TARGET nngpcheck_${folder})
    add_dependencies(nngpcheck_installed nngpcheck_${folder})
    install(TARGETS nngpcheck_${folder} EXPORT nngpcheckTargets
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
            FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endif()
endforeach()
if(NNGPCHECK_LIBTORCH)
  install(TARGETS nngpcheck_gtest nngpcheck_gtest_module EXPORT nngpcheckTargets
          FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(FILES cmake/NngpcheckLibTorch.cmake DESTINATION ${nngpcheck_package})
endif()
if(NNGPCHECK_EXECUTABLE)
  install(TARGETS nngpcheck RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  add_dependencies(nngpcheck_installed nngpcheck man_page)
  install(FILES ${PROJECT_BINARY_DIR}/nngpcheck.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  if(NNGPCHECK_LIBTORCH)
    install(TARGETS nngpcheck_networks RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/nngpcheck)
  endif()
endif()

install(EXPORT nngpcheckTargets NAMESPACE nngpcheck:: DESTINATION ${nngpcheck_package})
configure_package_config_file(cmake/nngpcheckConfig.cmake.in ${PROJECT_BINARY_DIR}/nngpcheckConfig.cmake
                              INSTALL_DESTINATION ${nngpcheck_package}
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/nngpcheckConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/nngpcheckConfig.cmake ${PROJECT_BINARY_DIR}/nngpcheckConfigVersion.cmake
        DESTINATION ${nngpcheck_package})
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
