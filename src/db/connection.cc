#include "db/connection.h"

#include <cerrno>

#include "base/format.h"

namespace mica::db {

Connection::~Connection() {
  for (const auto& [sql, statement] : idle) sqlite3_finalize(statement);
  sqlite3_close(handle);
}

Error Connection::error(int status) const {
  const std::string text = format("{}: {}", path, handle ? sqlite3_errmsg(handle) : sqlite3_errstr(status));
  switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Errc::unavailable, text)
          .with_hint(format("another mica has been writing for more than {} seconds; try again when it is done", kBusyTimeoutMs / 1000));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(Errc::corrupt, text)
          .with_hint(format("run `mica fsck`; if that cannot open the store either, move {} away and pull or build the images again", path));
    case SQLITE_FULL: return Error::os(ENOSPC, path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Error(Errc::permission_denied, text);
    case SQLITE_CONSTRAINT: return Error(Errc::conflict, text);
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return Error(Errc::resource_exhausted, text);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      if (const int number = handle ? sqlite3_system_errno(handle) : 0) return Error::os(number, path);
      break;
    default: break;
  }
  return Error(Errc::internal, text);
}

Result<> Connection::execute(const char* sql) {
  const int status = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) return fail(error(status));
  return {};
}

}  // namespace mica::db
