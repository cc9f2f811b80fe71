/// One compose file over another (compose specification, "Merge"): maps by key, single values replaced, lists appended, and lists of things with a key of their own by
/// that. Both sides are canonical (compose/canonical.h).
#pragma once
#include "json/json.h"
#include "json/yaml.h"

namespace mica::compose {

/// Wraps values that carry the tags !reset and !override, for merge() to see.
json::Value with_marks(const json::Value& value, const json::Place& place);
/// `over` on `base`; marks are obeyed and gone from the result.
json::Value merge_services(const json::Value& base, const json::Value& over);
json::Value merge_projects(const json::Value& base, const json::Value& over);
/// What marks mean where nothing is below: reset members vanish.
json::Value without_marks(json::Value value);
/// The value itself when it is marked, else null: canonical forms are made of what is inside.
json::Value* marked(json::Value& value);

}  // namespace mica::compose
