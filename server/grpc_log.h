#pragma once

namespace jobrunner::base {
class Logger;
}

namespace jobrunner::server {

// While it lives, what gRPC has to say goes to the logger instead of standard error: its errors as
// warnings, since most are of a connection's making, the rest for debugging. One at a time; made
// before gRPC is used.
class GrpcLog {
 public:
  explicit GrpcLog(base::Logger* logger);
  ~GrpcLog();
  GrpcLog(const GrpcLog&) = delete;
  GrpcLog& operator=(const GrpcLog&) = delete;
};

}  // namespace jobrunner::server
