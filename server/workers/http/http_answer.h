#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jobrunner/v1/event.pb.h"

namespace jobrunner::workers {

// What a server answers, as it comes in, up to what is kept of it. One thread uses it.
class HttpAnswer {
 public:
  explicit HttpAnswer(int64_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  // A line of the head, its end included. A status line begins another answer, after a redirect or
  // an interim one (1xx). False when there are more of them than any server that means well sends.
  bool AddHeaderLine(std::string_view line);
  // False when there is more of it than is kept: what follows need not be read.
  bool AddToBody(std::string_view data);

  // The empty line that ends it has come.
  bool head_is_whole() const { return head_is_whole_; }
  bool body_truncated() const { return body_truncated_; }

  // Each may be called once. The headers are those of the last answer.
  std::string TakeBody() { return std::move(body_); }
  v1::HttpResponse TakeHeaders() { return std::move(headers_); }

 private:
  const int64_t body_bytes_max_;
  std::string body_;
  bool body_truncated_ = false;
  v1::HttpResponse headers_;
  bool head_is_whole_ = false;
  int64_t header_bytes_ = 0;
  // Of all answers.
  int64_t head_bytes_ = 0;
};

}  // namespace jobrunner::workers
