#include "container/volume_table.h"

namespace mica::container {
const std::string_view kVolumeSchemaSql = R"(
CREATE TABLE volume (
  name TEXT PRIMARY KEY,
  driver TEXT NOT NULL,
  options TEXT NOT NULL,
  labels TEXT NOT NULL,
  created INTEGER NOT NULL,
  anonymous INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE volume_use (
  container TEXT NOT NULL,
  volume TEXT NOT NULL,
  PRIMARY KEY (container, volume)
) STRICT, WITHOUT ROWID;
)";
}  // namespace mica::container
