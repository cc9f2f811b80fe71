/// SQLite in WAL mode behind three small classes. Foreign keys on, busy timeout 60 s, synchronous=NORMAL.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct sqlite3_stmt;

namespace mica::db {

/// One step of a schema's history: SQL that brings version n-1 to n (index 0 makes version 1).
struct Schema {
  std::span<const std::string_view> migrations;
};

class Database;
struct Connection;

/// A prepared statement. Bind its `?` parameters in order, then step. Its compiled form goes back to the connection when this
/// dies, so that preparing the same text again costs a look-up.
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
  /// True when a row is there, false at the end (and from then on, until reset). Errors: corrupt, resource_exhausted (disk full), conflict (unique or foreign
  /// key constraint), unavailable (locked for longer than the busy timeout), permission_denied (read-only).
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
  Statement(std::shared_ptr<Connection> connection, sqlite3_stmt* statement);
  void note_bind(int status);
  std::shared_ptr<Connection> connection_;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
  int bind_status_ = 0;      ///< of the first bind that failed; step() reports it
  bool at_end_ = false;
};

/// Rolls back unless committed. BEGIN IMMEDIATE, so that it never fails half-way for a lock.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  ~Transaction();
  Result<> commit() &&;

 private:
  friend class Database;
  explicit Transaction(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  std::shared_ptr<Connection> connection_;
};

/// A connection. Not thread-safe: callers share it through Guarded<Database> or open one each.
class Database {
 public:
  /// Opens or creates `path` (":memory:": one that vanishes) and brings its schema to the newest version in one transaction.
  /// Any number of processes may do so at once.
  /// Errors: unsupported (written by a newer mica: says both versions), corrupt (not a database, or another program's),
  /// permission_denied (read-only file or file system; then try open_read_only), not_found (no such folder), unavailable.
  static Result<Database> open(const std::string& path, const Schema& schema);
  /// For stores that may only be read. The file is taken as immutable unless a write-ahead log lies beside it, which is then read
  /// too. Errors: as open, and unsupported when the schema is not the current version.
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
  bool read_only() const;
  /// Reads everything, also foreign keys; empty when whole, else SQLite's messages.
  Result<std::vector<std::string>> integrity_check();

 private:
  explicit Database(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  static Result<Database> connect(const std::string& path, const std::string& shown, int flags);
  Result<std::int64_t> pragma(const char* name);
  Result<int> version(const Schema& schema);
  Result<> migrate(const Schema& schema);
  std::shared_ptr<Connection> connection_;
};

}  // namespace mica::db
