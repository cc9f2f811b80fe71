/// Files of a build context that no step of a Dockerfile reads.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "build/source_tree.h"
#include "dockerfile/tree.h"

namespace mica::engine {

struct UnreadPlace {
  std::string path;                  ///< of a file, or of a folder of which nothing is read
  bool is_folder = false;
  std::uint64_t bytes = 0, files = 0;
};
struct UnreadFiles {
  std::uint64_t bytes = 0, files = 0;
  std::vector<UnreadPlace> places;   ///< largest first
};
/// `context`: after its ignore rules. COPY, ADD and bind mounts from the context count, whatever stage they are in; a source that holds a variable may name any file, and then nothing
/// is unread. Errors: as reading the context, cancelled.
Result<UnreadFiles> find_unread_files(const dockerfile::File& file, build::SourceTree& context, task::Cancel cancel);

}  // namespace mica::engine
