#include "engine/array_jobs.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace jobrunner::engine {
namespace {

constexpr char kPlaceholder[] = "{index}";

void Fill(const std::string& number, std::string* text) {
  if (text->find(kPlaceholder) == std::string::npos) return;
  absl::StrReplaceAll({{kPlaceholder, number}}, text);
}

void FillCommand(const std::string& number, v1::Command* command) {
  for (std::string& argument : *command->mutable_argv()) Fill(number, &argument);
  for (auto& [name, value] : *command->mutable_env()) Fill(number, &value);
  Fill(number, command->mutable_working_directory());
  Fill(number, command->mutable_stdin());
}

void FillHttp(const std::string& number, v1::HttpRequest* request) {
  Fill(number, request->mutable_url());
  for (auto& [name, value] : *request->mutable_headers()) Fill(number, &value);
  Fill(number, request->mutable_body());
}

}  // namespace

void ExpandElement(const v1::Job& array, int32_t element, v1::Job* job) {
  *job = array;
  job->clear_count();
  job->clear_array_begin();
  const std::string number = absl::StrCat(element);
  if (!job->key().empty()) absl::StrAppend(job->mutable_key(), "[", number, "]");
  if (job->has_command()) FillCommand(number, job->mutable_command());
  if (job->has_http()) FillHttp(number, job->mutable_http());
  if (job->has_handler()) Fill(number, job->mutable_handler()->mutable_payload());
}

}  // namespace jobrunner::engine
