#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/format.h"
#include "base/time.h"
#include "db/connection.h"
#include "db/db.h"

namespace mica::db {
namespace {

/// Tells our databases from those of other programs (`PRAGMA application_id`, shown by file(1)): "mica".
constexpr std::int64_t kApplicationId = 0x6d696361;
constexpr std::string_view kMemory = ":memory:";

/// A path as the file: URI that means it.
std::string uri(const std::string& path, std::string_view parameters) {
  std::string text = path.starts_with('/') ? "file://" : "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') text += format("%{:02x}", static_cast<unsigned>(c));
    else text += c;
  }
  return text + "?" + std::string(parameters);
}

std::optional<std::int64_t> file_size(const std::string& path) {
  struct stat found;
  return ::stat(path.c_str(), &found) == 0 ? std::optional<std::int64_t>(found.st_size) : std::nullopt;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::connect(const std::string& path, const std::string& shown, int flags) {
  auto connection = std::make_shared<Connection>(shown);
  const int status = sqlite3_open_v2(path.c_str(), &connection->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (status != SQLITE_OK) return fail(connection->error(status));
  sqlite3_busy_timeout(connection->handle, kBusyTimeoutMs);
  sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  return Database(std::move(connection));
}

Result<Database> Database::open(const std::string& path, const Schema& schema) {
  auto connected = connect(path, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  // Where it cannot create the file, SQLite tries to read it and reports what came of that.
  if (!connected && connected.error().code() == Errc::not_found && ::access(folder_of(path).c_str(), W_OK) != 0) return fail_errno(path);
  Database database = TRY(std::move(connected));
  // SQLite falls back to reading when it may not write.
  if (database.read_only())
    return fail(Error(Errc::permission_denied, format("{}: cannot be written: the file or its file system is read-only", path)));
  TRY(database.execute("PRAGMA synchronous=NORMAL"));
  const int have = TRY(database.version(schema));
  if (have < static_cast<int>(schema.migrations.size())) TRY_DOING(database.migrate(schema), format("bringing {} from version {} to {}", path, have, schema.migrations.size()));
  return database;
}

Result<Database> Database::open_read_only(const std::string& path, const Schema& schema) {
  const auto log_size = file_size(path + "-wal");
  // Without a log nobody has the database open and all of it is in the file. With one, SQLite has to lock and to read both; that
  // fails when the index beside the log is missing and cannot be made, which matters only if the log holds something.
  auto database = connect(uri(path, log_size ? "mode=ro" : "immutable=1"), path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  auto have = database ? database->version(schema) : Result<int>(fail(database.error()));
  if (!have && log_size && *log_size == 0 && have.error().code() != Errc::unsupported) {
    database = TRY(connect(uri(path, "immutable=1"), path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI));
    have = database->version(schema);
  }
  if (!have) return fail(std::move(have).error());
  if (*have != static_cast<int>(schema.migrations.size()))
    return fail(Error(Errc::unsupported, format("{}: has format version {}, this mica reads version {}", path, *have, schema.migrations.size()))
                    .with_hint("any mica command on a writable copy of the store migrates it"));
  return std::move(*database);
}

Result<std::int64_t> Database::pragma(const char* name) {
  sqlite3_stmt* statement = nullptr;
  const int prepared = sqlite3_prepare_v2(connection_->handle, format("PRAGMA {}", name).c_str(), -1, &statement, nullptr);
  if (prepared != SQLITE_OK) return fail(connection_->error(prepared));
  const int status = sqlite3_step(statement);
  const std::int64_t value = status == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  Result<std::int64_t> result = value;
  if (status != SQLITE_ROW && status != SQLITE_DONE) result = fail(connection_->error(status));
  sqlite3_finalize(statement);
  return result;
}

Result<int> Database::version(const Schema& schema) {
  const std::int64_t have = TRY(pragma("user_version"));
  const std::int64_t application = TRY(pragma("application_id"));
  if (application != kApplicationId) {
    auto tables = TRY(prepare("SELECT EXISTS (SELECT 1 FROM sqlite_master)"));
    TRY(tables.step());
    const bool filled = have != 0 || tables.integer(0);
    // Looked at again, because another process may have created it since.
    const std::int64_t now = TRY(pragma("application_id"));
    if (filled && now != kApplicationId)
      return fail(Error(Errc::corrupt, format("{}: is the database of another program", connection_->path)).with_hint("is the state folder the right one?"));
  }
  if (have < 0 || have > static_cast<std::int64_t>(schema.migrations.size()))
    return fail(Error(Errc::unsupported, format("{}: has format version {}, this mica knows up to version {}", connection_->path, have, schema.migrations.size()))
                    .with_hint("use the newer mica that wrote it, or another state folder (--root)"));
  return static_cast<int>(have);
}

Result<> Database::migrate(const Schema& schema) {
  // The change to WAL needs the file for itself and does not always wait for that by the busy timeout: while two processes create
  // the database, one is told so at once.
  for (const std::int64_t give_up = monotonic_ns() + kBusyTimeoutMs * std::int64_t{1'000'000}; connection_->path != kMemory;) {
    const auto done = execute("PRAGMA journal_mode=WAL");
    if (done) break;
    if (done.error().code() != Errc::unavailable || monotonic_ns() > give_up) return done;
    ::poll(nullptr, 0, 2);
  }
  auto transaction = TRY(begin());
  // Another process may have been faster.
  for (int have = TRY(version(schema)); have < static_cast<int>(schema.migrations.size()); ++have)
    TRY_DOING(execute(std::string(schema.migrations[static_cast<std::size_t>(have)])), format("making version {}", have + 1));
  TRY(execute(format("PRAGMA user_version={}; PRAGMA application_id={}", schema.migrations.size(), kApplicationId)));
  return std::move(transaction).commit();
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (const auto known = connection_->idle.find(sql); known != connection_->idle.end()) {
    sqlite3_stmt* statement = known->second;
    connection_->idle.erase(known);
    return Statement(connection_, statement);
  }
  sqlite3_stmt* statement = nullptr;
  const int status = sqlite3_prepare_v3(connection_->handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (status != SQLITE_OK) return fail(connection_->error(status));
  MICA_ASSERT(statement, "a statement has text");
  return Statement(connection_, statement);
}

Result<> Database::execute(const std::string& sql) { return connection_->execute(sql.c_str()); }

Result<Transaction> Database::begin() {
  TRY(execute("BEGIN IMMEDIATE"));
  return Transaction(connection_);
}

std::int64_t Database::last_row_id() const { return sqlite3_last_insert_rowid(connection_->handle); }
int Database::changes() const { return sqlite3_changes(connection_->handle); }
bool Database::read_only() const { return sqlite3_db_readonly(connection_->handle, "main") == 1; }

Result<std::vector<std::string>> Database::integrity_check() {
  std::vector<std::string> messages;
  // What stops the check is the finding then.
  auto read = [&](std::string_view sql, auto&& describe) -> Result<> {
    auto rows = TRY(prepare(sql));
    while (TRY(rows.step())) describe(rows);
    return {};
  };
  auto note = [&](const Result<>& done) {
    if (!done) messages.push_back(done.error().message());
  };
  note(read("PRAGMA integrity_check", [&](const Statement& row) {
    if (row.text(0) != "ok") messages.push_back(row.text(0));
  }));
  note(read("PRAGMA foreign_key_check", [&](const Statement& row) {
    messages.push_back(format("a row of table {} refers to a row of {} that is missing", row.text(0), row.text(2)));
  }));
  return messages;
}

}  // namespace mica::db
