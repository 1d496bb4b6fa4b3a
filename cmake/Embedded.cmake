# jobrunner::embedded: the engine, handlers and the memory store for programs of one's own, without
# gRPC.
add_library(jobrunner_embedded INTERFACE)
add_library(jobrunner::embedded ALIAS jobrunner_embedded)
foreach(part engine workers storage)
  if(TARGET jobrunner_${part})
    target_link_libraries(jobrunner_embedded INTERFACE jobrunner::${part})
  endif()
endforeach()
