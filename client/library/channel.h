#pragma once

#include <memory>
#include <string>

namespace grpc {
class Channel;
}

namespace jobrunner::client {

// To a server at `address` as gRPC takes it (host:port, unix:PATH), without TLS. Connects with the
// first call, and again whenever the connection is lost; a peer that no longer answers is noticed
// within a minute.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address);

}  // namespace jobrunner::client
