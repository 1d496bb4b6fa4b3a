#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rpc/each_store.h"

namespace jobrunner::rpc {
namespace {

using ::testing::SizeIs;

class StreamErrors : public OverEachStore {
 protected:
  class Listener {
   public:
    Listener(Served& served, const v1::StreamErrorsRequest& request)
        : reader_(served.jobs().StreamErrors(&context_, request)) {
      // The headers come when it listens.
      reader_->WaitForInitialMetadata();
    }
    ~Listener() {
      context_.TryCancel();
      if (!ended_) reader_->Finish();
    }
    v1::BatchEvent Next() {
      while (position_ == response_.events_size()) {
        position_ = 0;
        EXPECT_TRUE(reader_->Read(&response_));
      }
      return response_.events(position_++);
    }
    grpc::Status End() {
      while (reader_->Read(&response_)) {
      }
      ended_ = true;
      return reader_->Finish();
    }

   private:
    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReader<v1::StreamErrorsResponse>> reader_;
    v1::StreamErrorsResponse response_;
    int position_ = 0;
    bool ended_ = false;
  };

  static ServedOptions WithTwoQueues() {
    ServedOptions options;
    options.queues.emplace_back().name = "one";
    options.queues.emplace_back().name = "two";
    return options;
  }
  v1::Batch SubmitFailing(const std::string& message, const std::string& queue = "",
                          const std::string& team = "") {
    v1::BatchSpec spec = BatchOf(1, HandlerJob("fail", message));
    spec.set_queue(queue);
    if (!team.empty()) (*spec.mutable_labels())["team"] = team;
    return Submit(served_, spec);
  }

  Served served_{OnStore(WithTwoQueues())};
};

INSTANTIATE_TEST_SUITE_P(Stores, StreamErrors, EachStore(), NameOfStore);

TEST_P(StreamErrors, ShowsWhatFailsInEveryBatch) {
  Listener listener(served_, v1::StreamErrorsRequest());
  const v1::Batch first = SubmitFailing("a", "one");
  v1::BatchEvent event = listener.Next();
  EXPECT_EQ(event.batch_id(), first.id());
  EXPECT_EQ(event.queue(), "one");
  EXPECT_EQ(event.event().result().error().message(), "a");
  const v1::Batch second = SubmitFailing("b");
  event = listener.Next();
  EXPECT_EQ(event.batch_id(), second.id());
  EXPECT_EQ(event.queue(), "default");
}

TEST_P(StreamErrors, ShowsFailedAttemptsAndNoSuccess) {
  Listener listener(served_, v1::StreamErrorsRequest());
  v1::BatchSpec spec = BatchOf(20, HandlerJob("echo"));
  v1::Job job = HandlerJob("fail", R"({"message": "no", "succeed_on_attempt": 2})");
  job.mutable_options()->mutable_retry_policy()->set_max_attempts(2);
  job.mutable_options()->mutable_retry_policy()->mutable_initial_backoff();
  *spec.add_jobs() = job;
  Submit(served_, spec);
  EXPECT_TRUE(listener.Next().event().has_attempt_error());
  SubmitFailing("the next one");
  EXPECT_EQ(listener.Next().event().result().error().message(), "the next one");
}

TEST_P(StreamErrors, ShowsJobsThatTheirOwnDeadlineEndedButNoneThatAClientCancelled) {
  Listener listener(served_, v1::StreamErrorsRequest());
  const v1::Batch cancelled = Submit(served_, BatchOf(1, HandlerJob("hold")));
  served_.gate().AwaitHeld(1);
  grpc::ClientContext context;
  v1::CancelRequest cancel;
  cancel.set_batch_id(cancelled.id());
  v1::CancelResponse response;
  ASSERT_TRUE(served_.jobs().Cancel(&context, cancel, &response).ok());
  Results(served_, cancelled.id());

  v1::Job job = HandlerJob("hold");
  job.mutable_options()->mutable_total_timeout()->set_nanos(1000);
  const v1::Batch late = Submit(served_, BatchOf(1, job));
  const v1::BatchEvent event = listener.Next();
  EXPECT_EQ(event.batch_id(), late.id());
  EXPECT_EQ(event.event().result().error().reason(), v1::REASON_TOTAL_TIMEOUT);
}

TEST_P(StreamErrors, CanBeOfOneQueue) {
  v1::StreamErrorsRequest request;
  request.set_queue("two");
  Listener listener(served_, request);
  SubmitFailing("a", "one");
  SubmitFailing("b", "two");
  EXPECT_EQ(listener.Next().event().result().error().message(), "b");
}

TEST_P(StreamErrors, CanBeOfSomeLabels) {
  v1::StreamErrorsRequest request;
  (*request.mutable_labels())["team"] = "red";
  Listener listener(served_, request);
  SubmitFailing("a", "", "blue");
  SubmitFailing("b");
  SubmitFailing("c", "", "red");
  EXPECT_EQ(listener.Next().event().result().error().message(), "c");
}

TEST_P(StreamErrors, EndsAReaderThatIsTooSlow) {
  Listener listener(served_, v1::StreamErrorsRequest());
  // Ten times what a reader may be behind, and far more than a connection holds, of errors with
  // four kilobytes each, of which nothing is read.
  const std::string message(4000, 'x');
  for (int i = 0; i < 4; ++i) {
    const v1::Batch batch = Submit(served_, BatchOf(5'000, HandlerJob("fail", message)));
    Results(served_, batch.id());
  }
  const grpc::Status status = listener.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(status), "READER_TOO_SLOW");
  const auto infos = DetailsOfKind<google::rpc::ErrorInfo>(status);
  ASSERT_THAT(infos, SizeIs(1));
  EXPECT_GT(std::stoi(infos[0].metadata().at("missed")), 10'000);
}

TEST_P(StreamErrors, EndsWhenTheServerStops) {
  Listener listener(served_, v1::StreamErrorsRequest());
  served_.server().Stop(std::chrono::seconds(10));
  EXPECT_EQ(ReasonIn(listener.End()), "SERVER_STOPS");
}

}  // namespace
}  // namespace jobrunner::rpc
