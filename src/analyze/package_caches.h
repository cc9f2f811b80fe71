/// Folders in which package managers keep what they can fetch again. Internal to the module, and to whoever names them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mica::analyze {

struct CacheRule {
  std::string_view manager;        ///< "apt"
  /// Components with '*' in them match any text. "*" + "/" in front: at any depth; else from the root.
  std::string_view pattern;
  std::string_view remedy;         ///< a sentence for people; "%" is the folder as found
};
struct CacheMatch {
  const CacheRule* rule = nullptr; ///< nullptr: in none
  std::string_view folder;         ///< the part of the path that matched
};
/// The first rule, in the table's order, whose folder `path` lies in.
CacheMatch find_cache(std::string_view path);
/// The rule's remedy for a folder.
std::string remedy_for(const CacheRule& rule, std::string_view folder);

}  // namespace mica::analyze
