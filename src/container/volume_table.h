/// Volumes: folders volumes/<name>/_data that outlive containers.
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

struct VolumeRow {
  std::string name;
  std::string driver = "local";
  Pairs options, labels;
  Timestamp created;
  bool anonymous = false;
};

class VolumeTable {
 public:
  explicit VolumeTable(Guarded<db::Database>& database) : database_(database) {}
  Result<> insert(const VolumeRow& row);                             ///< errors: conflict
  Result<std::optional<VolumeRow>> find(const std::string& name);
  Result<std::vector<VolumeRow>> list();                             ///< by name
  Result<> remove(const std::string& name);
  /// Which containers use which volume: kept when a container is made, dropped with its row.
  Result<> set_uses(const std::string& container, const std::vector<std::string>& volumes);
  Result<std::vector<std::string>> users(const std::string& volume);   ///< container ids
  Result<std::vector<std::string>> used_by(const std::string& container);

 private:
  Guarded<db::Database>& database_;
};

extern const std::string_view kVolumeSchemaSql;      ///< tables volume, volume_use
}  // namespace mica::container
