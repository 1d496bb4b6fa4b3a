# jobrunner_add_folders(folder...): adds the folders that have a CMakeLists.txt, in this order.
function(jobrunner_add_folders)
  foreach(folder ${ARGN})
    if(EXISTS "${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt")
      add_subdirectory("${PROJECT_SOURCE_DIR}/${folder}" "${PROJECT_BINARY_DIR}/folders/${folder}")
    endif()
  endforeach()
endfunction()

# jobrunner_library(name [link...] [SOURCES file...]): a static library jobrunner_<name>, alias
# jobrunner::<name>, of every *.cc of the calling folder but main.cc, or of the files that are named.
# The links are PUBLIC.
function(jobrunner_library name)
  cmake_parse_arguments(PARSE_ARGV 1 library "" "" "SOURCES")
  set(sources ${library_SOURCES})
  if(NOT sources)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc"
         "${CMAKE_CURRENT_SOURCE_DIR}/*.h")
    list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  endif()
  set(kind STATIC)
  set(scope PUBLIC)
  if(NOT "${sources}" MATCHES "\\.cc")
    set(kind INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(jobrunner_${name} ${kind})
  add_library(jobrunner::${name} ALIAS jobrunner_${name})
  if(kind STREQUAL STATIC)
    target_sources(jobrunner_${name} PRIVATE ${sources})
    target_link_libraries(jobrunner_${name} PRIVATE jobrunner_warnings)
  endif()
  target_include_directories(jobrunner_${name} ${scope} "${PROJECT_SOURCE_DIR}/server"
                             "${PROJECT_SOURCE_DIR}")
  target_link_libraries(jobrunner_${name} ${scope} ${library_UNPARSED_ARGUMENTS} Threads::Threads)
  target_compile_features(jobrunner_${name} ${scope} cxx_std_20)
endfunction()

# jobrunner_program(name [link...]): the program of the calling folder's main.cc, in bin/.
function(jobrunner_program name)
  file(GLOB main CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/main.cc")
  if(main)
    add_executable(${name} ${main})
    target_link_libraries(${name} PRIVATE ${ARGN} jobrunner_warnings)
  endif()
endfunction()

# jobrunner_tests(folder [link...]): one executable <folder>_tests of every *_test.cc in
# tests/<folder>/, each test known to ctest as <folder>.Suite.Name.
function(jobrunner_tests folder)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/${folder}/*.cc"
       "${PROJECT_SOURCE_DIR}/tests/${folder}/*.h")
  if(NOT TARGET RocksDB::rocksdb-shared)
    list(FILTER sources EXCLUDE REGEX "/(rocksdb_|open_store)[^/]*$")
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${folder}_tests ${sources})
  target_include_directories(${folder}_tests PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${folder}_tests PRIVATE ${ARGN} jobrunner_test_support GTest::gmock
                        GTest::gtest_main jobrunner_warnings)
  gtest_discover_tests(${folder}_tests TEST_PREFIX "${folder}." DISCOVERY_MODE PRE_TEST
                       NO_PRETTY_VALUES PROPERTIES TIMEOUT 120 LABELS "${folder}")
endfunction()
