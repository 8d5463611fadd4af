# cmake -Dbuild=… -Dsource=… -Dwork=… -P package.cmake: see CMakeLists.txt.
set(prefixes ${work}/prefix ${prefix})
file(REMOVE_RECURSE ${work}/prefix ${work}/build)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${build} --prefix ${work}/prefix --config "${configuration}")
# A list as one argument.
string(REPLACE ";" "\\;" prefixes "${prefixes}")
run(${CMAKE_COMMAND} -S ${source} -B ${work}/build -G ${generator} "-DCMAKE_PREFIX_PATH=${prefixes}"
    -DCMAKE_BUILD_TYPE=${configuration} -DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON ${options})
run(${CMAKE_COMMAND} --build ${work}/build --config "${configuration}")
run(${CMAKE_CTEST_COMMAND} --test-dir ${work}/build --output-on-failure --no-tests=error
    --build-config "${configuration}")
