/// What `ps` shows.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "container/container_table.h"
#include "engine/engine.h"

namespace mica::engine {

struct ListContainers {
  bool all = false;                                     ///< also those that do not run
  int last = -1;                                        ///< the newest so many, whatever they do; -1: no such limit
  std::vector<std::string> filters;                     ///< Docker's: ancestor before exited expose health id is-task label name network publish since status volume
  bool definitions = false, sizes = false;              ///< fill in what needs more than the row
};
struct ListedContainer {
  container::Row row;
  std::string image;                                    ///< as asked for; the id's first digits when that names another image now
  std::optional<container::Definition> definition;      ///< with `definitions`
  std::int64_t size = 0, root_size = 0;                 ///< with `sizes`: of its own files; with the image's
};
/// Newest first. Errors: invalid_argument (a filter), not_found (the container of before or since).
Result<std::vector<ListedContainer>> list(Engine& engine, const ListContainers& request);

/// "Up 5 minutes (healthy)", "Exited (0) 2 hours ago", "Created".
std::string status_text(const container::State& state);
/// "starting", "healthy", "unhealthy"; "" without a health check.
std::string health_word(const container::State& state);
/// Names of the networks that it joins.
std::vector<std::string> network_names(const container::Definition& definition);
/// Bytes of the files that the container itself wrote or changed: each once, whatever links it has.
std::int64_t container_size(Engine& engine, const std::string& id);
std::int64_t folder_bytes(const std::string& path);   ///< the same of any folder

}  // namespace mica::engine
