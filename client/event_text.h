#pragma once

#include <string>

namespace jobrunner::v1 {
class BatchEvent;
class Error;
class Event;
class JobResult;
}  // namespace jobrunner::v1

namespace jobrunner::client {

// Events and errors in a line each, for people, without a newline and safe for terminals.

// "✔ job 3 (Alice): succeeded in 234 ms, worker 1"; empty for an event that has only output.
std::string EventLine(const v1::Event& event);

// The same with its batch before it, for the error channel.
std::string BatchEventLine(const v1::BatchEvent& event);

// "exit code 2", "timed out: …": why it did not succeed.
std::string ErrorText(const v1::Error& error);

// What the result of a job says in a word or two: "succeeded in 234 ms", "failed: exit code 2".
std::string ResultText(const v1::JobResult& result);

// What was kept of an output whose middle was left out says nothing of it; this does: "12,345 bytes
// of its standard output and 3 of its standard error were left out". Empty when all was kept.
std::string OmittedText(const v1::JobResult& result);

}  // namespace jobrunner::client
