#include "storage/rocksdb_open.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "storage/keys.h"
#include "storage/rocksdb_status.h"
#include "storage/sync_mark.h"
#include "storage/zero_tail.h"

namespace jobrunner::storage {
namespace {

std::string LogName(uint64_t number) { return absl::StrFormat("%06d.log", number); }

// What was acknowledged is not there. Nothing is gone on without it: who has the file puts it back.
absl::Status LacksItsEnd(const StoreDirectory& directory, SyncMark::Value mark,
                         absl::string_view what) {
  return absl::DataLossError(absl::StrCat(
      "the store ", directory.path(), " lacks the end of what it has acknowledged: ", what, " (",
      directory.mark(), " says that log ", LogName(mark.log), " was stable up to write ",
      mark.sequence,
      "). Put back what is missing, or restore the store from a backup. To go on without what is "
      "lost, remove that file"));
}

absl::Status CheckReaches(const StoreDirectory& directory, SyncMark::Value mark,
                          rocksdb::DB* database) {
  const uint64_t last = database->GetLatestSequenceNumber();
  if (last >= mark.sequence) return absl::OkStatus();
  return LacksItsEnd(directory, mark, absl::StrCat("its last write is ", last));
}

absl::StatusOr<std::unique_ptr<rocksdb::DB>> Open(const StoreDirectory& directory,
                                                  const rocksdb::Options& options) {
  rocksdb::DB* database = nullptr;
  RETURN_IF_ERROR(FromRocksDb(rocksdb::DB::Open(options, directory.database(), &database),
                              "opening the store " + directory.path()));
  return std::unique_ptr<rocksdb::DB>(database);
}

// A logger that keeps a database which is only read from making a log file of its own.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenUnchanged(const StoreDirectory& directory) {
  rocksdb::Options options = MakeRocksDbOptions({});
  options.info_log = std::make_shared<NoLog>();
  rocksdb::DB* database = nullptr;
  RETURN_IF_ERROR(
      FromRocksDb(rocksdb::DB::OpenForReadOnly(options, directory.database(), &database),
                  "reading the store " + directory.path()));
  return std::unique_ptr<rocksdb::DB>(database);
}

// Cuts off what a machine that died has left of last bytes that never came to the disk, if without
// these the database can be read and lacks nothing that was acknowledged. Otherwise the files stay
// as they were, and the answer says what is wrong: `damage`, when that is something else.
absl::Status CutTailsNobodyWasToldOf(const StoreDirectory& directory, SyncMark::Value mark,
                                     const absl::Status& damage) {
  ASSIGN_OR_RETURN(const auto cut, CutZeroTails(directory.database()));
  if (cut.empty()) return damage;
  const auto database = OpenUnchanged(directory);
  absl::Status whole = database.ok() ? CheckReaches(directory, mark, database->get()) : damage;
  if (whole.ok()) return whole;
  RETURN_IF_ERROR(PutBackZeroTails(cut));
  return whole;
}

// Before the database is opened to be written, which would make its log's end what is there now.
absl::Status CheckLogIsThere(const StoreDirectory& directory, SyncMark::Value mark) {
  if (directory.is_new()) {
    if (mark.sequence == 0) return absl::OkStatus();
    return LacksItsEnd(directory, mark, "there is no database");
  }
  std::error_code error;
  const bool named = mark.log != 0;
  if (!named || std::filesystem::exists(directory.database() + "/" + LogName(mark.log), error)) {
    return absl::OkStatus();
  }
  // Mostly the database has removed it itself, once all that it had was in tables.
  const auto database = OpenUnchanged(directory);
  if (absl::IsDataLoss(database.status())) {
    return CutTailsNobodyWasToldOf(directory, mark, database.status());
  }
  if (!database.ok()) return database.status();
  return CheckReaches(directory, mark, database->get());
}

absl::Status CheckFormat(const StoreDirectory& directory, const StoreState& state) {
  if (state.format <= kFormat) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the store ", directory.path(), " has format ", state.format, "; this program knows up to ",
      kFormat, ". Use the version of jobrunner that wrote it, or a newer one"));
}

// Brings a store of an older format up to this one. Format 1 is the first, so that there is nothing
// to bring up yet: a step for each format goes here, each of which writes its format when it is
// done.
absl::Status Migrate(const StoreState& /*state*/, rocksdb::DB* /*database*/) {
  static_assert(kFormat == 1);
  return absl::OkStatus();
}

absl::Status BringUp(const StoreDirectory& directory, rocksdb::DB* database) {
  const auto state = ReadState(database);
  // It is new, or its making was cut short.
  if (absl::IsNotFound(state.status())) return WriteState({}, database);
  if (!state.ok()) return state.status();
  RETURN_IF_ERROR(CheckFormat(directory, *state));
  return Migrate(*state, database);
}

}  // namespace

absl::StatusOr<OpenDatabase> OpenToServe(const StoreDirectory& directory, RocksDbEvents events,
                                         rocksdb::Env* env) {
  ASSIGN_OR_RETURN(const SyncMark::Value mark, SyncMark::Read(directory.mark()));
  RETURN_IF_ERROR(CheckLogIsThere(directory, mark));
  ASSIGN_OR_RETURN(auto file, SyncMark::Open(directory.mark()));
  OpenDatabase opened{std::make_shared<RocksDbMark>(std::move(file)), nullptr};
  events.log_changed = [mark = opened.mark] { mark->LogChanged(); };
  rocksdb::Options options = MakeRocksDbOptions(std::move(events));
  options.create_if_missing = directory.is_new();
  if (env != nullptr) options.env = env;
  auto database = Open(directory, options);
  if (absl::IsDataLoss(database.status())) {
    RETURN_IF_ERROR(CutTailsNobodyWasToldOf(directory, mark, database.status()));
    database = Open(directory, options);
  }
  if (!database.ok()) return database.status();
  opened.database = *std::move(database);
  RETURN_IF_ERROR(CheckReaches(directory, mark, opened.database.get()));
  RETURN_IF_ERROR(BringUp(directory, opened.database.get()));
  // What was in logs is in tables by now.
  opened.mark->Synced(*opened.database);
  return opened;
}

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenToRead(const StoreDirectory& directory) {
  ASSIGN_OR_RETURN(const SyncMark::Value mark, SyncMark::Read(directory.mark()));
  ASSIGN_OR_RETURN(auto database, OpenUnchanged(directory));
  RETURN_IF_ERROR(CheckReaches(directory, mark, database.get()));
  ASSIGN_OR_RETURN(const StoreState state, ReadState(database.get()));
  RETURN_IF_ERROR(CheckFormat(directory, state));
  return database;
}

absl::StatusOr<StoreState> ReadState(rocksdb::DB* database) {
  std::string bytes;
  RETURN_IF_ERROR(FromRocksDb(database->Get(rocksdb::ReadOptions(), keys::Store(), &bytes),
                              "reading the store's description"));
  return DecodeStoreState(bytes);
}

absl::Status WriteState(const StoreState& state, rocksdb::DB* database) {
  rocksdb::WriteOptions options;
  options.sync = true;
  return FromRocksDb(database->Put(options, keys::Store(), Encode(state)), "writing the store");
}

}  // namespace jobrunner::storage
