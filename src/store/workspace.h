/// A process's place in the store: `ingest/<token>/`, locked as long as the process lives, and its leases on layers.
///
/// A token whose lock can be taken belongs to a dead process: its folder is swept and its leases do not count. The lock is the file
/// `lock` in the folder. Between making the folder and locking it a sweeper may come by and lock first; then the new process takes
/// another token. A process never holds a lock in a folder that was removed (sys::FileLock looks again).
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "db/db.h"
#include "sys/lock.h"

namespace mica::store {

class Workspace {
 public:
  /// `root` is the state folder. Errors: permission_denied (read-only), resource_exhausted.
  static Result<Workspace> create(const std::string& root);
  Workspace(Workspace&&) noexcept = default;
  ~Workspace();                                               ///< removes the folder
  const std::string& path() const { return path_; }           ///< temporary folder
  const std::string& token() const { return token_; }

  /// Leases layers in one transaction after checking that each still exists in table `layer`; not_found otherwise.
  Result<> lease(Guarded<db::Database>& database, const std::vector<std::string>& layers);
  /// Drops this process's leases (also done by the destructor's owner, the engine).
  Result<> release(Guarded<db::Database>& database);

  /// Removes folders and leases of dead processes. Returns bytes freed.
  static Result<std::int64_t> sweep_dead(const std::string& root, Guarded<db::Database>& database);
  /// Tokens whose process lives.
  static Result<std::vector<std::string>> live_tokens(const std::string& root);

 private:
  Workspace(std::string path, std::string token, sys::FileLock lock);
  std::string path_, token_;
  sys::FileLock lock_;
};
extern const std::string_view kLeaseSchemaSql;   ///< table lease(token, layer)
}  // namespace mica::store
