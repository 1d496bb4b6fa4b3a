#pragma once

#include <utility>

#include "absl/status/status.h"

// RETURN_IF_ERROR(expression): returns the absl::Status from the calling function unless it is OK.
#define RETURN_IF_ERROR(expression)                                               \
  do {                                                                            \
    if (::absl::Status jobrunner_status = (expression); !jobrunner_status.ok()) { \
      return jobrunner_status;                                                    \
    }                                                                             \
  } while (false)

// ASSIGN_OR_RETURN(lhs, expression): assigns the value of an absl::StatusOr to lhs, which may
// declare a variable, or returns its status from the calling function. An lhs with a comma needs
// parentheses or an alias.
#define ASSIGN_OR_RETURN(lhs, ...)                                                       \
  JOBRUNNER_ASSIGN_OR_RETURN_AT_(JOBRUNNER_UNIQUE_(jobrunner_status_or_, __LINE__), lhs, \
                                 __VA_ARGS__)

#define JOBRUNNER_UNIQUE_(name, line) JOBRUNNER_JOINED_(name, line)
#define JOBRUNNER_JOINED_(name, line) name##line

#define JOBRUNNER_ASSIGN_OR_RETURN_AT_(result, lhs, ...) \
  auto result = (__VA_ARGS__);                           \
  if (!result.ok()) return std::move(result).status();   \
  lhs = *std::move(result)
