#include "bench/bare/log_store.h"

#include <cstdio>
#include <cstdlib>

namespace jobrunner::bench {
namespace {

void Expect(const rocksdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bare_server: %s\n", status.ToString().c_str());
  std::abort();
}

}  // namespace

LogStore::LogStore(const std::string& directory) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.error_if_exists = true;
  rocksdb::DB* db = nullptr;
  Expect(rocksdb::DB::Open(options, directory, &db));
  db_.reset(db);
}

void LogStore::Add(char kind, std::string_view bytes) {
  std::string key(1, kind);
  ++last_;
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(last_ >> shift));
  Expect(batch_.Put(key, rocksdb::Slice(bytes.data(), bytes.size())));
}

void LogStore::Sync() {
  rocksdb::WriteOptions options;
  options.sync = true;
  Expect(db_->Write(options, &batch_));
  batch_.Clear();
}

}  // namespace jobrunner::bench
