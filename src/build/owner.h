/// Who --chown and WORKDIR's USER mean, by the passwd and group files of the stage.
///
/// Docker's rules (`USER[:GROUP]`): a number alone is also the group; a name alone brings its primary group; "root" and an empty
/// word are 0; a user that is not found is 0, a group that is not found leaves the user's own. Only a stage that starts from
/// nothing cannot be asked for names.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "build/key.h"
#include "build/session.h"
#include "snapshot/tree_view.h"

namespace mica::build {

/// Appends the content of the files that `owner` has to be looked up in, so that a change in them changes the key.
void add_owner_parts(std::string_view owner, const snapshot::TreeView& tree, Parts& parts);

struct FoundOwner {
  Owner owner;
  std::vector<std::string> unknown;  ///< what was not found, for a warning: `user "x"`, `group "y"`
};
/// `owner` is not empty. Errors: not_found (a name, and the tree is the empty one), resource_exhausted (files too large).
Result<FoundOwner> find_owner(std::string_view owner, const snapshot::TreeView& tree);

}  // namespace mica::build
