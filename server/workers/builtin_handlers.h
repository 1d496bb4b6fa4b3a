#pragma once

#include <string>
#include <utility>
#include <vector>

#include "workers/handler.h"

namespace jobrunner::workers {

// The handlers that every server has, as the comment of HandlerCall in job.proto describes them.

// Never blocks.
HandlerResult Echo(HandlerContext& context);

// sleep and fail.
std::vector<std::pair<std::string, HandlerFunction>> BuiltInHandlers();

}  // namespace jobrunner::workers
