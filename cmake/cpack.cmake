# Included by cpack before it packs: builds what is packed, and says what is missing instead of making a package that
# lacks its dependencies.
set(nngpcheck_missing "")
foreach(program_package IN ITEMS dpkg-shlibdeps:dpkg-dev file:file objdump:binutils)
  string(REPLACE ":" ";" program_package ${program_package})
  list(GET program_package 0 program)
  list(GET program_package 1 package)
  find_program(nngpcheck_${program} ${program} NO_CACHE)
  if(NOT nngpcheck_${program})
    string(APPEND nngpcheck_missing " ${package}")
  endif()
endforeach()
if(nngpcheck_missing)
  message(FATAL_ERROR "A Debian package is made with programs that are missing here: apt-get install${nngpcheck_missing}")
endif()

if(CPACK_NNGPCHECK_TORCH_CONFIG)
  execute_process(COMMAND dpkg-query --search ${CPACK_NNGPCHECK_TORCH_CONFIG} RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "This build uses the LibTorch of ${CPACK_NNGPCHECK_TORCH_CONFIG}, which no Debian package can depend "
                        "on: build with libtorch-dev, or use cmake --install")
  endif()
endif()

execute_process(COMMAND ${CMAKE_COMMAND} --build ${CPACK_NNGPCHECK_BUILD} --target nngpcheck_installed
                COMMAND_ERROR_IS_FATAL ANY)
