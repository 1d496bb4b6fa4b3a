#include "client/admission.h"

#include <gtest/gtest.h>

#include <vector>

namespace jobrunner::client {
namespace {

using Mode = Admission::Mode;

Admission Make(Mode mode, int32_t slots, int64_t batch_jobs_max = 100) {
  return Admission({mode, slots, batch_jobs_max});
}

TEST(AdmissionForAPool, ALineThatFindsAWorkerFreeGoesAtOnce) {
  Admission admission = Make(Mode::kPool, 2);
  EXPECT_EQ(admission.Next(1).jobs, 1);
}

TEST(AdmissionForAPool, ALineGoesAtOnceThoughManyBatchesAreOpenWhileAWorkerIsFree) {
  Admission admission = Make(Mode::kPool, 10);
  for (int i = 0; i < 9; ++i) admission.Submitted(admission.Next(1));
  EXPECT_EQ(admission.Next(1).jobs, 1);
}

TEST(AdmissionForAPool, LinesGatherWhileAllWorkersAreBusy) {
  Admission admission = Make(Mode::kPool, 2);
  std::vector<Admission::Share> shares;
  for (int i = 0; i < 4; ++i) shares.push_back(admission.Submitted(admission.Next(1)));
  EXPECT_EQ(admission.Next(50).jobs, 0);
  admission.JobEnded(&shares[0]);
  admission.BatchEnded(&shares[0]);
  EXPECT_EQ(admission.Next(50).jobs, 50);
}

TEST(AdmissionForAPool, AnEndlessInputIsBounded) {
  Admission admission = Make(Mode::kPool, 2);
  int64_t out = 0;
  for (Admission::Offer offer; (offer = admission.Next(1'000'000)).jobs > 0;) {
    out += offer.jobs;
    admission.Submitted(offer);
  }
  EXPECT_EQ(out, 100);
}

TEST(AdmissionShared, BatchesNeverHaveMoreSlotsThanTheRun) {
  Admission admission = Make(Mode::kShared, 8);
  std::vector<Admission::Share> shares;
  int32_t slots = 0;
  for (Admission::Offer offer; (offer = admission.Next(3)).jobs > 0;) {
    slots += offer.max_parallelism;
    shares.push_back(admission.Submitted(offer));
  }
  EXPECT_EQ(slots, 8);
}

TEST(AdmissionShared, ABatchThatRunsOutOfJobsGivesItsSlotsBack) {
  Admission admission = Make(Mode::kShared, 4);
  Admission::Share share = admission.Submitted(admission.Next(6));
  EXPECT_EQ(admission.Next(10).jobs, 0);
  admission.JobEnded(&share);
  admission.JobEnded(&share);
  EXPECT_EQ(admission.Next(10).jobs, 0) << "four jobs still use four slots";
  admission.JobEnded(&share);
  EXPECT_EQ(admission.Next(10).max_parallelism, 1);
}

TEST(AdmissionShared, AFreeSlotTakesHalfOfItsEvenShare) {
  Admission admission = Make(Mode::kShared, 4);
  Admission::Share share = admission.Submitted(admission.Next(4));
  admission.JobEnded(&share);
  EXPECT_EQ(admission.Next(80).jobs, 10);
  EXPECT_EQ(admission.Next(3).jobs, 1);
}

TEST(AdmissionDirect, NothingWaitsOnTheServer) {
  Admission admission = Make(Mode::kDirect, 3);
  EXPECT_EQ(admission.Next(10).jobs, 3);
  Admission::Share share = admission.Submitted(admission.Next(10));
  EXPECT_EQ(admission.Next(7).jobs, 0);
  admission.JobEnded(&share);
  EXPECT_EQ(admission.Next(7).jobs, 1);
}

}  // namespace
}  // namespace jobrunner::client
