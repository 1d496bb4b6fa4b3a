# jobrunner_allocator(program): the program takes its memory from mimalloc. What one thread allocates
# another frees, for every job that passes; glibc's malloc makes such threads wait for each other
# (bench/engine_bench: 969,000 jobs/s against 746,000 on 2 cores). Programs that embed jobrunner
# choose for themselves, and the sanitizers bring their own.
function(jobrunner_allocator program)
  if(NOT JOBRUNNER_SANITIZE)
    target_link_libraries(${program} PRIVATE -Wl,--no-as-needed mimalloc -Wl,--as-needed)
  endif()
endfunction()
