#include "client/batch_table.h"

#include "client/batch_text.h"
#include "client/text_table.h"
#include "jobrunner/v1/batch.pb.h"

namespace jobrunner::client {

BatchTable::BatchTable(Console* console) : console_(*console), rows_{BatchRowHeadings()} {}

void BatchTable::Add(const v1::Batch& batch) {
  if (console_.printer.format() == OutputFormat::kJson) {
    console_.printer.Answer(batch, "");
  } else {
    rows_.push_back(BatchRow(batch));
  }
}

void BatchTable::End() {
  if (console_.printer.format() == OutputFormat::kText) console_.out.Append(TextTable(rows_));
}

}  // namespace jobrunner::client
