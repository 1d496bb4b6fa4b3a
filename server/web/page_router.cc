#include "web/page_router.h"

#include <utility>

namespace jobrunner::web {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";

}  // namespace

// The pre-routing handler comes before cpp-httplib's own routes, which are regular expressions, and
// before it reads a body.
PageRouter::PageRouter(Pages pages) : pages_(std::move(pages)) {
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    Answer(request, &response);
    return HandlerResponse::Handled;
  });
}

void PageRouter::Serve(PeerStream& stream) {
  bool closed = false;
  process_request(stream, /*close_connection=*/true, closed, nullptr);
}

void PageRouter::Answer(const httplib::Request& request, httplib::Response* response) const {
  const auto page = pages_.find(request.path);
  if (page == pages_.end()) {
    response->status = 404;
    response->set_content("no such page\n", kText);
  } else if (request.method != "GET" && request.method != "HEAD") {
    response->status = 405;
    response->set_header("Allow", "GET, HEAD");
    response->set_content("only GET and HEAD\n", kText);
  } else {
    const HttpAnswer answer = page->second();
    response->status = answer.status;
    response->set_content(answer.body, answer.content_type);
  }
}

}  // namespace jobrunner::web
