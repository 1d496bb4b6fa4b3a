#pragma once

namespace jobrunner::base {

// Of the whole project, as "0.1.0".
extern const char kVersion[];

}  // namespace jobrunner::base
