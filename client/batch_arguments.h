#pragma once

namespace CLI {
class App;
}

namespace jobrunner::client {

struct CancelOptions;
struct DeleteOptions;
struct ErrorsOptions;
struct ListOptions;
struct ResultsOptions;
struct RetryOptions;
struct StatusOptions;
struct SubmitOptions;

// Define the options of the commands about batches.
void DefineSubmit(CLI::App* app, SubmitOptions* options);
void DefineResults(CLI::App* app, ResultsOptions* options);
void DefineErrors(CLI::App* app, ErrorsOptions* options);
void DefineCancel(CLI::App* app, CancelOptions* options);
void DefineDelete(CLI::App* app, DeleteOptions* options);
void DefineRetry(CLI::App* app, RetryOptions* options);
void DefineStatus(CLI::App* app, StatusOptions* options);
void DefineList(CLI::App* app, ListOptions* options);

}  // namespace jobrunner::client
