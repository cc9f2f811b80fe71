/// SQLite in WAL mode behind three small classes. Foreign keys on, busy timeout 60 s, synchronous=NORMAL.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mica::db {

/// One step of a schema's history: SQL that brings version n-1 to n (index 0 makes version 1).
struct Schema {
  std::span<const std::string_view> migrations;
};

class Database;

/// A prepared statement. Bind in order or by index (from 1), then step. `?` parameters only.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();
  Statement& bind(std::int64_t value);   ///< binds the next parameter
  Statement& bind(int value) { return bind(static_cast<std::int64_t>(value)); }
  Statement& bind(std::string_view text);
  Statement& bind(const char* text) { return bind(std::string_view(text)); }
  Statement& bind(const std::string& text) { return bind(std::string_view(text)); }
  Statement& bind_blob(std::string_view bytes);
  Statement& bind_null();
  template <class T>
  Statement& bind(const std::optional<T>& value) { return value ? bind(*value) : bind_null(); }
  /// True when a row is there, false at the end. Errors: corrupt, resource_exhausted (disk full), conflict (unique or foreign
  /// key constraint), unavailable (locked for longer than the busy timeout).
  Result<bool> step();
  /// Steps to the end, ignoring rows.
  Result<> run();
  /// For using it again: clears bindings and the row.
  Statement& reset();
  std::int64_t integer(int column) const;      ///< columns count from 0
  std::string text(int column) const;          ///< text or blob bytes
  bool is_null(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
  Error pending_bind_error();
};

/// Rolls back unless committed. BEGIN IMMEDIATE, so that it never fails half-way for a lock.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  ~Transaction();
  Result<> commit() &&;

 private:
  friend class Database;
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;
};

/// A connection. Not thread-safe: callers share it through Guarded<Database> or open one each.
class Database {
 public:
  /// Opens or creates `path` and brings its schema to the newest version in one transaction.
  /// Errors: unsupported (written by a newer mica: says both versions), corrupt (not a database, failed quick check),
  /// permission_denied (read-only file system; then try open_read_only).
  static Result<Database> open(const std::string& path, const Schema& schema);
  /// For stores on read-only media: immutable, no WAL. The schema version must be the current one.
  static Result<Database> open_read_only(const std::string& path, const Schema& schema);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();
  Result<Statement> prepare(std::string_view sql);
  /// One or more statements without parameters or results.
  Result<> execute(const std::string& sql);
  Result<Transaction> begin();
  std::int64_t last_row_id() const;
  int changes() const;
  bool read_only() const { return read_only_; }
  /// PRAGMA integrity_check; empty when whole, else its messages.
  Result<std::vector<std::string>> integrity_check();

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* db_ = nullptr;
  bool read_only_ = false;
};

}  // namespace mica::db
