#include "container/container_table.h"

namespace mica::container {
const std::string_view kContainerSchemaSql = R"(
CREATE TABLE container (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  image_id TEXT NOT NULL,
  image TEXT NOT NULL,
  command TEXT NOT NULL,
  layers TEXT NOT NULL,
  created INTEGER NOT NULL,
  labels TEXT NOT NULL,
  definition TEXT NOT NULL,
  status TEXT NOT NULL,
  pid INTEGER NOT NULL DEFAULT 0,
  pid_start INTEGER NOT NULL DEFAULT 0,
  exit_code INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  oom_killed INTEGER NOT NULL DEFAULT 0,
  stopped_by_user INTEGER NOT NULL DEFAULT 0,
  started INTEGER,
  finished INTEGER,
  restart_count INTEGER NOT NULL DEFAULT 0,
  health TEXT NOT NULL DEFAULT '',
  network TEXT NOT NULL DEFAULT '',
  ports TEXT NOT NULL DEFAULT '',
  boot TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
)";
}  // namespace mica::container
