/// The root of a step cache: the document that lists its steps, read, and written beside others who write it too.
#pragma once
#include <string>

#include "engine/step_cache_format.h"
#include "engine/step_cache_places.h"

namespace mica::engine {

struct StepCacheRoot {
  std::string manifest;                  ///< empty: there is no cache yet
  oci::Digest config;
  CachedSteps steps;
};

/// Errors: those of step_cache_config_of, of read_step_cache_config and of the place.
Result<StepCacheRoot> read_step_cache(CachePlace& place, task::Cancel cancel);
/// For who writes it: a damaged one, or one of another version, has no steps. Errors: conflict (something else is there), those of the place.
Result<StepCacheRoot> read_step_cache_to_replace(CachePlace& place, task::Cancel cancel);

struct AddedSteps {
  bool changed = false;                  ///< false: all that was to be written is there
  std::size_t total = 0;                 ///< steps in the cache
};
/// Writes the steps of `known` that the limits allow, and `mine`, whose blobs are there.
///
/// No registry compares before it replaces. So the root is looked at before it is written, and again afterwards, when somebody who looked before us must have
/// written: if another one is there, its steps are taken in and the round is repeated. What is lost all the same, of two that write in the same moments, is
/// written by the next build that has it.
/// Errors: unavailable (others are faster all the time), those of the place.
Result<AddedSteps> add_to_step_cache(CachePlace& place, StepCacheRoot known, const CachedSteps& mine, task::Cancel cancel);

/// Errors that a place gives for a root which names blobs that are not there, and for what is damaged.
bool may_lack_blobs(const Error& error);

}  // namespace mica::engine
