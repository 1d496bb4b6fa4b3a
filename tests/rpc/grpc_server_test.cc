#include "rpc/grpc_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grpc/health/v1/health.pb.h"
#include "rpc/generic_call.h"
#include "rpc/served.h"
#include "support/temporary_directory.h"

namespace jobrunner::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Server : public ::testing::Test {
 protected:
  // A stream that waits for what does not come.
  std::unique_ptr<grpc::ClientReader<v1::StreamResultsResponse>> Follow(
      grpc::ClientContext* context) {
    v1::StreamResultsRequest request;
    request.set_batch_id(Submit(served_, BatchOf(1, HandlerJob("hold"))).id());
    request.set_follow(true);
    auto reader = served_.jobs().StreamResults(context, request);
    reader->WaitForInitialMetadata();
    return reader;
  }

  Served served_;
};

TEST_F(Server, SaysWhichPortItPicked) {
  EXPECT_THAT(served_.address(), StartsWith("127.0.0.1:"));
  EXPECT_NE(served_.address(), "127.0.0.1:0");
}

TEST_F(Server, DoesNotShareAPort) {
  const base::RealClock clock;
  ServerParts parts;
  parts.clock = &clock;
  GrpcServer other({.listen = served_.address()}, parts);
  const auto address = other.Start();
  EXPECT_EQ(address.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(address.status().message()), HasSubstr(served_.address()));
}

TEST(ServerOnASocket, Serves) {
  const test::TemporaryDirectory directory;
  ServedOptions options;
  options.listen = "unix:" + directory.path() + "/socket";
  Served served(options);
  EXPECT_EQ(served.address(), options.listen);
  EXPECT_EQ(Results(served, Submit(served, BatchOf(1, HandlerJob("echo"))).id()).size(), 2u);
}

// Asks as a stock client does.
class HealthCall : public GenericCall {
 public:
  HealthCall(Served& served, const std::string& method, const std::string& service)
      : GenericCall(served.Connect(), "/grpc.health.v1.Health/" + method) {
    HealthCheckRequest request;
    request.set_service(service);
    Send(request.SerializeAsString());
  }
  HealthCheckResponse::ServingStatus Next() {
    HealthCheckResponse response;
    EXPECT_TRUE(response.ParseFromString(Receive().value_or("nothing")));
    return response.status();
  }
};

TEST_F(Server, AnswersHealthChecks) {
  const std::vector<std::string> services = {"", "jobrunner.v1.JobService",
                                             "jobrunner.v1.AdminService"};
  for (const std::string& service : services) {
    EXPECT_EQ(HealthCall(served_, "Check", service).Next(), HealthCheckResponse::SERVING);
  }
  served_.server().Drain();
  for (const std::string& service : services) {
    EXPECT_EQ(HealthCall(served_, "Check", service).Next(), HealthCheckResponse::NOT_SERVING);
  }
}

TEST_F(Server, TellsWatchersOfItsHealthThatItDrains) {
  HealthCall watch(served_, "Watch", "");
  EXPECT_EQ(watch.Next(), HealthCheckResponse::SERVING);
  served_.server().Drain();
  EXPECT_EQ(watch.Next(), HealthCheckResponse::NOT_SERVING);
}

TEST_F(Server, ServesStreamsAndLookUpsWhileItDrains) {
  served_.server().Drain();
  EXPECT_EQ(Results(served_, Submit(served_, BatchOf(1, HandlerJob("echo"))).id()).size(), 2u);
}

TEST_F(Server, StopsWithStreamsOpen) {
  grpc::ClientContext context;
  const auto reader = Follow(&context);
  EXPECT_EQ(served_.server().streams().events, 1);
  served_.server().Stop(seconds(60));
  EXPECT_EQ(served_.server().streams().events, 0);
  v1::StreamResultsResponse response;
  EXPECT_FALSE(reader->Read(&response));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonIn(status), "SERVER_STOPS");
}

TEST_F(Server, StopsWithAHealthWatchOpen) {
  HealthCall watch(served_, "Watch", "");
  EXPECT_EQ(watch.Next(), HealthCheckResponse::SERVING);
  served_.server().Stop(seconds(60));
}

TEST_F(Server, StopsWithAReaderThatStalls) {
  const v1::Batch batch =
      Submit(served_, BatchOf(300, HandlerJob("echo", std::string(200'000, 'x'))));
  grpc::ClientContext context;
  v1::StreamResultsRequest request;
  request.set_batch_id(batch.id());
  request.set_follow(true);
  const auto stalled = served_.jobs().StreamResults(&context, request);
  v1::StreamResultsResponse response;
  ASSERT_TRUE(stalled->Read(&response));
  Results(served_, batch.id());
  served_.server().Stop(seconds(0));
  EXPECT_EQ(served_.server().streams().events, 0);
  while (stalled->Read(&response)) {
  }
  EXPECT_FALSE(stalled->Finish().ok());
}

TEST_F(Server, StopsTwice) {
  served_.server().Stop(seconds(0));
  served_.server().Stop(seconds(0));
}

TEST_F(Server, RefusesWhatIsNoMessage) {
  for (const std::string method :
       {"JobService/SubmitBatch", "JobService/RunBatch", "JobService/StreamResults",
        "JobService/StreamErrors", "JobService/Cancel", "JobService/GetBatch",
        "JobService/ListBatches", "JobService/GetJob", "JobService/ListJobs",
        "AdminService/PauseQueue", "AdminService/ResizePool", "AdminService/Drain"}) {
    GenericCall call(served_.Connect(), "/jobrunner.v1." + method);
    // A field that is longer than the message.
    call.Send("\x0A\x7Fx");
    EXPECT_EQ(call.Receive(), std::nullopt) << method;
    const grpc::Status status = call.Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_EQ(ReasonIn(status), "INVALID_ARGUMENT") << method;
  }
}

TEST_F(Server, RefusesARequestThatIsTooLarge) {
  v1::SubmitBatchRequest request;
  *request.mutable_batch() = BatchOf(70, HandlerJob("echo", std::string(1 << 20, 'x')));
  grpc::ClientContext context;
  v1::SubmitBatchResponse response;
  EXPECT_EQ(served_.jobs().SubmitBatch(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Results(served_, Submit(served_, BatchOf(1, HandlerJob("echo"))).id()).size(), 2u);
}

TEST_F(Server, ListsItsServicesByReflection) {
  GenericCall call(served_.Connect(),
                   "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  // ServerReflectionRequest.list_services, field 7, a text.
  call.Send(std::string("\x3A\x00", 2));
  const std::string response = call.Receive().value_or("nothing");
  for (const std::string service : {"jobrunner.v1.JobService", "jobrunner.v1.AdminService",
                                    "jobrunner.v1.WorkerService", "grpc.health.v1.Health"}) {
    EXPECT_THAT(response, HasSubstr(service));
  }
}

TEST_F(Server, ShowsItsDescriptorsByReflection) {
  GenericCall call(served_.Connect(),
                   "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  // ServerReflectionRequest.file_containing_symbol, field 4.
  const std::string symbol = "jobrunner.v1.JobService";
  call.Send("\x22" + std::string(1, static_cast<char>(symbol.size())) + symbol);
  const std::string response = call.Receive().value_or("nothing");
  EXPECT_THAT(response, HasSubstr("jobrunner/v1/job_service.proto"));
  EXPECT_THAT(response, HasSubstr("SubmitBatchRequest"));
}

}  // namespace
}  // namespace jobrunner::rpc
