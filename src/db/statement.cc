#include "base/log.h"
#include "db/connection.h"
#include "db/db.h"

namespace mica::db {
namespace {

/// More compiled statements than the program has texts would mean that somebody builds SQL by hand.
constexpr std::size_t kMaxIdle = 128;

}  // namespace

Statement::Statement(std::shared_ptr<Connection> connection, sqlite3_stmt* statement)
    : connection_(std::move(connection)), statement_(statement) {}

Statement::Statement(Statement&& other) noexcept
    : connection_(std::move(other.connection_)),
      statement_(std::exchange(other.statement_, nullptr)),
      next_(other.next_),
      bind_status_(other.bind_status_),
      at_end_(other.at_end_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(statement_, other.statement_);
  std::swap(next_, other.next_);
  std::swap(bind_status_, other.bind_status_);
  std::swap(at_end_, other.at_end_);
  return *this;
}

Statement::~Statement() {
  if (!statement_) return;
  reset();
  auto& idle = connection_->idle;
  if (idle.size() >= kMaxIdle || !idle.emplace(sqlite3_sql(statement_), statement_).second) sqlite3_finalize(statement_);
}

void Statement::note_bind(int status) {
  if (bind_status_ == SQLITE_OK) bind_status_ = status;
}

Statement& Statement::bind(std::int64_t value) {
  note_bind(sqlite3_bind_int64(statement_, next_++, value));
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() ? text.data() : "";
  note_bind(sqlite3_bind_text64(statement_, next_++, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
  const char* data = bytes.data() ? bytes.data() : "";
  note_bind(sqlite3_bind_blob64(statement_, next_++, data, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null() {
  note_bind(sqlite3_bind_null(statement_, next_++));
  return *this;
}

Result<bool> Statement::step() {
  if (bind_status_ != SQLITE_OK) return fail(connection_->error(bind_status_));
  if (at_end_) return false;
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  at_end_ = true;
  if (status != SQLITE_DONE) return fail(connection_->error(status));
  return false;
}

Result<> Statement::run() {
  while (TRY(step())) continue;
  return {};
}

Statement& Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  next_ = 1;
  bind_status_ = SQLITE_OK;
  at_end_ = false;
  return *this;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
  // The blob form gives the bytes of text as they are, too.
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : std::string();
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Transaction::Transaction(Transaction&& other) noexcept : connection_(std::move(other.connection_)) {}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some errors (disk full).
  if (!connection_ || sqlite3_get_autocommit(connection_->handle)) return;
  if (auto done = connection_->execute("ROLLBACK"); !done) log::debug("rollback failed: {}", done.error().text());
}

Result<> Transaction::commit() && {
  TRY(connection_->execute("COMMIT"));
  connection_.reset();
  return {};
}

}  // namespace mica::db
