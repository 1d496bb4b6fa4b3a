#include "client/batch_arguments.h"

#include <CLI/CLI.hpp>

#include "client/arguments.h"
#include "client/cancel_command.h"
#include "client/delete_command.h"
#include "client/errors_command.h"
#include "client/list_command.h"
#include "client/results_command.h"
#include "client/retry_command.h"
#include "client/status_command.h"
#include "client/submit_command.h"

namespace jobrunner::client {
namespace {

void AddBatchId(CLI::App* app, std::string* batch_id) {
  app->add_option("batch", *batch_id, "")->type_name("BATCH_ID")->required();
}

}  // namespace

void DefineSubmit(CLI::App* app, SubmitOptions* options) {
  app->description(
      "Submits a batch and prints its id. FILE, or - for standard input, has a SubmitBatchRequest "
      "as JSON, or a Job as JSON on each line: any number of them, read as they are sent. Options "
      "go "
      "before what the file says.");
  app->add_option("file", options->file, "")->type_name("FILE")->required();
  app->add_flag("--wait", options->wait, "Shows the results until the batch has finished");
  AddBatch(app, &options->batch);
  AddDuration(
      app, "--timeout", [options](absl::Duration value) { options->batch.timeout = value; },
      "Ends the batch when it takes longer");
  AddDuration(
      app, "--job-timeout", [options](absl::Duration value) { options->job_timeout = value; },
      "Of an attempt of a job, unless the job has its own");
  AddOptional(app, "--max-parallelism", &options->batch.max_parallelism,
              "Jobs of the batch at once, at most");
  app->add_option("--failure-policy", options->batch.failure_policy, "")
      ->type_name("continue|cancel_batch");
  AddDuration(
      app, "--retention", [options](absl::Duration value) { options->batch.retention = value; },
      "How long the finished batch is kept");
  app->add_option("--request-id", options->request_id,
                  "Makes the call idempotent: the same id again is the same batch");
}

void DefineResults(CLI::App* app, ResultsOptions* options) {
  app->description(
      "Shows the event log of a batch, live until it has finished: what the jobs wrote on standard "
      "output and error, what became of them on standard error.");
  AddBatchId(app, &options->batch_id);
  app->add_option("--after", options->after_sequence, "Only events after this sequence number")
      ->check(CLI::NonNegativeNumber.description(""));
  app->add_flag("!--no-follow", options->follow, "Stops at the end of what there is so far");
  app->add_option("--kinds", options->kinds, "Only these: output, progress, attempt_error, result")
      ->delimiter(',')
      ->type_name("KIND,...")
      ->allow_extra_args(false);
}

void DefineErrors(CLI::App* app, ErrorsOptions* options) {
  app->description("Shows failed attempts and failed jobs of all batches, from now on.");
  app->add_option("--queue", options->queue, "Only of this queue");
  app->add_option("--label", options->labels, "Only of batches with this label, can be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void DefineCancel(CLI::App* app, CancelOptions* options) {
  app->description("Cancels a batch, or some of its jobs.");
  AddBatchId(app, &options->batch_id);
  app->add_option("--job", options->jobs, "Only the job with this index, can be repeated")
      ->type_name("INDEX")
      ->allow_extra_args(false);
  app->add_option("--reason", options->reason, "Why, for those who look");
  AddDuration(
      app, "--grace", [options](absl::Duration value) { options->grace = value; },
      "Between asking running jobs to end and forcing them (5)");
}

void DefineDelete(CLI::App* app, DeleteOptions* options) {
  app->description("Removes finished batches with their logs before their retention has passed.");
  app->add_option("batch", options->batch_ids, "")->type_name("BATCH_ID")->required();
  app->add_flag("--allow-missing", options->allow_missing, "No error when there is no such batch");
}

void DefineRetry(CLI::App* app, RetryOptions* options) {
  app->description(
      "Runs the failed and cancelled jobs of a finished batch again, as a new batch, and prints "
      "its "
      "id.");
  AddBatchId(app, &options->batch_id);
  app->add_option("--job", options->jobs, "Only the job with this index, can be repeated")
      ->type_name("INDEX")
      ->allow_extra_args(false);
  app->add_flag("--wait", options->wait, "Shows the results until the batch has finished");
}

void DefineStatus(CLI::App* app, StatusOptions* options) {
  app->description("Shows how a batch or its jobs stand, and what waiting jobs wait for.");
  AddBatchId(app, &options->batch_id);
  auto* job = AddOptional(app, "--job", &options->job, "The job with this index");
  AddOptional(app, "--key", &options->key, "The job with this key")->excludes(job);
  app->add_flag("--jobs", options->jobs, "All jobs");
  app->add_option("--state", options->states,
                  "Jobs in this state: queued, running, retrying, succeeded, failed, cancelled")
      ->delimiter(',')
      ->type_name("STATE,...")
      ->allow_extra_args(false);
}

void DefineList(CLI::App* app, ListOptions* options) {
  app->description("Shows the batches of the server, newest first.");
  app->add_option("--state", options->states, "Only: running, succeeded, failed, cancelled")
      ->delimiter(',')
      ->type_name("STATE,...")
      ->allow_extra_args(false);
  app->add_option("--queue", options->queue, "Only of this queue");
  app->add_option("--label", options->labels, "Only with this label, can be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app->add_option("--limit", options->limit, "So many at most (all)")
      ->check(CLI::PositiveNumber.description(""));
}

}  // namespace jobrunner::client
