/// Private to this module: what Database, its statements and its transactions share.
#pragma once
#include <sqlite3.h>

#include <functional>
#include <map>
#include <string>

#include "base/error.h"

namespace mica::db {

/// One SQLite connection with the compiled statements that nobody uses now. Lives as long as the last object made from it.
struct Connection {
  explicit Connection(std::string shown) : path(std::move(shown)) {}
  Connection(const Connection&) = delete;
  ~Connection();

  sqlite3* handle = nullptr;
  std::string path;                                     ///< for messages
  std::map<std::string, sqlite3_stmt*, std::less<>> idle;   ///< by SQL text

  /// The error for a result code of the last call on this connection.
  Error error(int status) const;
  Result<> execute(const char* sql);
};

/// How long a writer waits for another process's transaction.
inline constexpr int kBusyTimeoutMs = 60'000;

}  // namespace mica::db
