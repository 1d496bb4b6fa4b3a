#pragma once

#include <httplib.h>

#include <functional>
#include <map>
#include <string>

#include "web/http_server.h"
#include "web/peer_stream.h"

namespace jobrunner::web {

// Parses a request, and writes what the page of its path answers. Any thread; several at once.
class PageRouter final : private httplib::Server {
 public:
  using Pages = std::map<std::string, std::function<HttpAnswer()>>;

  explicit PageRouter(Pages pages);

  // Reads one request from the stream and answers it.
  void Serve(PeerStream& stream);

 private:
  void Answer(const httplib::Request& request, httplib::Response* response) const;

  const Pages pages_;
};

}  // namespace jobrunner::web
