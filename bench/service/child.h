// A server that a bench runs against.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace jobrunner::bench {

// A process with a pipe to its standard input and from its standard output. Aborts with a message
// where it cannot go on: a bench has nobody to report to.
class Child {
 public:
  // `argv[0]` is a path. Blocks until the child has printed a line that has ` serving on ` in it.
  explicit Child(std::vector<std::string> argv);
  // Ends it: closes its standard input, waits.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Without a warning, as a power cut ends it.
  void Kill();

  const std::string& address() const { return address_; }
  pid_t pid() const { return pid_; }

  // Resident memory, in bytes.
  int64_t ResidentBytes() const;
  int ThreadCount() const;
  // Processor time used so far by the threads it has, in seconds.
  double CpuSeconds() const;

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  std::string address_;
};

// The folder of the program that runs.
std::string ProgramFolder();

// jobrunnerd with a configuration, as JSON; on loopback, with a free port.
std::unique_ptr<Child> StartServer(const std::string& config, const std::string& store = "memory:");
// bench_worker, whose handler is "noop".
std::unique_ptr<Child> StartWorker(const std::string& server, const std::string& name, int slots);
// Durable if it has a directory, which must not be there yet.
std::unique_ptr<Child> StartBareServer(const std::string& directory = "");

}  // namespace jobrunner::bench
