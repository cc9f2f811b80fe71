/// `buildx imagetools create`: one index out of images and indexes that registries have, without the store.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/copy_session.h"
#include "oci/reference.h"
#include "registry/client.h"

namespace mica::engine {

struct CreateIndex {
  std::vector<std::string> tags;         ///< NAME[:TAG] of the result
  /// References; digests and descriptors ({"digest": ..., "platform": ..., "annotations": ...}), which are looked for in the tags' repository.
  std::vector<std::string> sources;
  bool append = false;                   ///< what the first tag stands for is the first source
  std::vector<std::string> annotations;  ///< "index:K=V", "manifest-descriptor:K=V", "manifest-descriptor[OS/ARCH]:K=V"
  std::vector<std::string> platforms;    ///< empty: all
  bool prefer_index = true;              ///< false: a single image manifest stays one
  bool dry_run = false;                  ///< nothing is written
};
/// A line for the user while it goes on: "copying sha256:... from A to B". Any thread.
using IndexRemark = std::function<void(std::string)>;

/// The document that the tags stand for now. A single source that nothing is changed about is copied byte for byte. Else the entries of all
/// sources follow each other, each digest once; an entry without platform gets that of its config. Attestations stay with the images that they are
/// about. The result is a Docker list when all its entries are Docker's and there are no annotations (lists have none), else an OCI index.
/// What the entries refer to is copied into the tags' repositories first, from whatever registry.
/// Errors: invalid_argument (no sources, no tags, an annotation of another kind, "none of the manifests match the provided platforms"); those of
/// registry::Repository. After an error the tags that were not reached stand for what they did.
Result<registry::Document> create_index(CopySession& session, const CreateIndex& request, const IndexRemark& remark, task::Cancel cancel);

}  // namespace mica::engine
