#include "bench/bare/pipeline.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "google/protobuf/io/coded_stream.h"

namespace jobrunner::bench {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr int kJobsPerStep = 256;

}  // namespace

Pipeline::Pipeline(std::unique_ptr<LogStore> store)
    : store_(std::move(store)),
      decider_([this] { Decide(); }),
      worker_([this] { Work(); }),
      committer_([this] { Commit(); }) {}

Pipeline::~Pipeline() {
  writes_.Close();
  committer_.join();
  told_.Close();
  decider_.join();
  work_.Close();
  worker_.join();
}

void Pipeline::Decide() {
  std::vector<Told> told;
  while (told_.Take(&told)) {
    for (Told& one : told) {
      std::visit([this](auto& alternative) { Handle(alternative); }, one);
    }
  }
}

void Pipeline::Handle(Submitted* submitted) {
  if (store_ != nullptr) {
    writes_.Put(submitted);
  } else {
    work_.Put(submitted);
  }
}

void Pipeline::Work() {
  std::vector<Submitted*> batches;
  while (work_.Take(&batches)) {
    for (Submitted* submitted : batches) {
      const int count = submitted->batch->jobs_size();
      for (int begin = 0; begin < count; begin += kJobsPerStep) {
        told_.Put(Done{submitted, begin, std::min(count, begin + kJobsPerStep)});
      }
    }
  }
}

// What arrives while a commit runs goes into the next one.
void Pipeline::Commit() {
  std::vector<Write> writes;
  while (writes_.Take(&writes)) {
    for (const Write& write : writes) {
      if (const auto* submitted = std::get_if<Submitted*>(&write)) {
        store_->Add('s', (*submitted)->bytes);
      } else {
        store_->Add('e', std::get<Events>(write).bytes);
      }
    }
    store_->Sync();
    std::vector<Told> done;
    for (Write& write : writes) {
      if (const auto* submitted = std::get_if<Submitted*>(&write)) {
        done.push_back(Stored{*submitted});
      } else {
        done.push_back(std::move(std::get<Events>(write)));
      }
    }
    told_.PutAll(std::move(done));
  }
}

void Pipeline::Handle(const Done& done) {
  std::string bytes;
  const int64_t now =
      std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  for (int i = done.begin; i < done.end; ++i) {
    const Job& job = done.submitted->batch->jobs(i);
    event_.Clear();
    event_.set_sequence(++done.submitted->done);
    event_.mutable_time()->set_seconds(now / 1'000'000'000);
    event_.mutable_time()->set_nanos(static_cast<int>(now % 1'000'000'000));
    event_.set_job_index(i);
    event_.set_job_key(job.key());
    Result& result = *event_.mutable_result();
    result.set_state(3);
    result.set_attempts(1);
    result.set_output(job.handler().payload());
    result.mutable_run_time()->set_nanos(1000);
    result.set_worker("worker 1");
    Append(event_, &bytes);
  }
  const bool last = done.submitted->done == done.submitted->batch->jobs_size();
  Events events{done.submitted, std::move(bytes), last};
  if (store_ != nullptr) {
    writes_.Put(std::move(events));
  } else {
    Handle(events);
  }
}

void Pipeline::Append(const Event& event, std::string* bytes) {
  char header[16];
  auto* end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(event.ByteSizeLong()),
                                                      reinterpret_cast<uint8_t*>(header) + 1);
  header[0] = 0x0A;
  bytes->append(header, reinterpret_cast<char*>(end) - header);
  event.AppendToString(bytes);
}

}  // namespace jobrunner::bench
