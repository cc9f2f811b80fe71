/// The mounts of one RUN step: what they mean for its key, and making them for its execution.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "build/key.h"
#include "build/mount_points.h"
#include "build/source_tree.h"
#include "build/step.h"
#include "runtime/spec.h"

namespace mica::build {

class RunMounts {
 public:
  RunMounts(const Vertex& vertex, const Graph& graph, Session& session);
  ~RunMounts();

  /// Reads and hashes what bind mounts show of contexts.
  Result<> prepare(task::Cancel cancel);
  /// Parts: each mount's form, and the content of bind mounts. Secrets' and caches' contents are in no key.
  Result<> key(const StepStates& states, Parts& parts, task::Cancel cancel);
  /// Whether key() reads files of root filesystems; and its parts without that (Step::tree_key).
  bool look_into_trees() const;
  void tree_key(const StepStates& states, Parts& parts) const;
  /// Makes everything in `folder` (new); adds mounts and environment to `spec`, and where they need a place to `points`. What was
  /// made, with the locks of caches, is in use until release(). Errors: not_found (a required secret), cancelled.
  Result<> make(const StepStates& states, const std::string& folder, runtime::ProcessSpec& spec, std::vector<MountPoint>& points, task::Cancel cancel);
  void release();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mica::build
