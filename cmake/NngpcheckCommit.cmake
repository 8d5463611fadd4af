# As a script, cmake -Dsource=… -Dheader=… -P: writes NNGPCHECK_COMMIT, the commit that is built, with "+" if tracked
# files differ from it, "" where that is not known. Included, the target nngpcheck_commit does so before each build.
if(CMAKE_SCRIPT_MODE_FILE)
  set(commit "")
  find_program(GIT git)
  if(GIT)
    execute_process(COMMAND ${GIT} -C ${source} rev-parse --short=12 HEAD OUTPUT_VARIABLE commit
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${GIT} -C ${source} diff --quiet HEAD RESULT_VARIABLE changed ERROR_QUIET)
    if(commit AND changed EQUAL 1)
      string(APPEND commit "+")
    endif()
  endif()
  file(CONFIGURE OUTPUT ${header} CONTENT "#define NNGPCHECK_COMMIT \"${commit}\"\n")
else()
  set(nngpcheck_commit_header ${PROJECT_BINARY_DIR}/generated/nngpcheck_commit.hpp)
  add_custom_target(nngpcheck_commit
    COMMAND ${CMAKE_COMMAND} -Dsource=${PROJECT_SOURCE_DIR} -Dheader=${nngpcheck_commit_header}
            -P ${CMAKE_CURRENT_LIST_FILE}
    BYPRODUCTS ${nngpcheck_commit_header} COMMENT "Looking up the commit")
endif()
