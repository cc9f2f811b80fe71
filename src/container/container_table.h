/// Containers: one row each, with what it is made from, what it is doing now, and how it ended.
///
/// A row is written by whoever makes the container and by its monitor. A row that says that the container runs counts only while the monitor's lock
/// (containers/<id>/monitor.lock) is held: see ContainerTable::settle_dead in engine/containers.h.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "base/time.h"
#include "container/definition.h"
#include "db/db.h"

namespace mica::container {

enum class Status { created, running, paused, restarting, removing, exited, dead };
std::string_view word(Status status);                       ///< as Docker writes it: "created", ...
std::optional<Status> status_from(std::string_view word);

/// What changes while a container lives.
struct State {
  Status status = Status::created;
  int pid = 0;                                              ///< of its first process, in our pid namespace; 0 when it does not run
  std::int64_t pid_start = 0;                               ///< start time of that pid (field 22 of /proc/PID/stat): tells it from a later namesake
  int exit_code = 0;
  std::string error;                                        ///< why it could not start
  bool oom_killed = false;
  bool stopped_by_user = false;                             ///< `stop` or `kill`: no restart, not at boot either (unless-stopped)
  std::optional<Timestamp> started, finished;
  int restart_count = 0;
  std::string health;                                       ///< JSON of State.Health, "" when there is no health check
  std::string network;                                      ///< JSON of NetworkSettings while it runs, "" otherwise
  std::string ports;                                        ///< the PORTS column while it runs
  std::string boot;                                         ///< /proc/sys/kernel/random/boot_id of the last start
};

struct Row {
  std::string id;                                           ///< 64 hex digits
  std::string name;                                         ///< without the slash
  std::string image_id;                                     ///< "sha256:..."; the image may be gone from the image table by force
  std::string image;                                        ///< as the user named it
  std::string command;                                      ///< entrypoint and arguments joined by blanks, for `ps`
  std::vector<std::string> layers;                          ///< of the root filesystem, bottom first: they stay as long as the row
  Timestamp created;
  Pairs labels;
  State state;
  std::string definition;                                   ///< to_document(); empty in rows of list()
};

class ContainerTable {
 public:
  explicit ContainerTable(Guarded<db::Database>& database) : database_(database) {}
  /// Errors: conflict when the name is taken ("Conflict. The container name "/web" is already in use by container "ID"...").
  Result<> insert(const Row& row);
  Result<std::optional<Row>> find(const std::string& id);
  /// By full id, name (with or without a leading slash), or unambiguous id prefix, in this order. Errors: not_found ("No such container: X", with
  /// a hint to the nearest name), conflict (ambiguous prefix).
  Result<Row> resolve(std::string_view text);
  /// All, newest first.
  Result<std::vector<Row>> list(bool with_definitions = false);
  Result<> set_state(const std::string& id, const State& state);
  /// Only `stopped_by_user`, while the monitor may be writing the rest.
  Result<> set_stopped_by_user(const std::string& id, bool stopped);
  Result<> set_definition(const std::string& id, const std::string& document);
  Result<> rename(const std::string& id, const std::string& name);   ///< errors: conflict as insert
  Result<> remove(const std::string& id);                            ///< missing is no error

 private:
  Guarded<db::Database>& database_;
};

extern const std::string_view kContainerSchemaSql;   ///< table container
}  // namespace mica::container
