/// `copy`: an image, an index or an artifact from one place to another without the store. Every document arrives byte for byte, whatever its
/// media type, so that digests stay; blobs are streamed from source to target and verified on the way.
///
/// What is there is not moved: first the target's name is looked up, then each document below it, then each blob. Inside one registry
/// blobs are mounted. Documents come after what they refer to, the name last.
#pragma once
#include <string>

#include "engine/image_places.h"
#include "engine/transfer.h"

namespace mica::engine {

struct CopyImage {
  ImagePlace from, to;
  std::string platform;                ///< of an index this one only, under the target's name; empty: the index with all that it lists
  bool referrers = false;              ///< also what refers to it: signatures, SBOMs, attestations, by subject or by cosign's tags
  bool dry_run = false;                ///< looks, and changes nothing
  int blobs_at_once = 4;
};
struct Copied {
  oci::Digest digest;                  ///< of what the target's name stands for; of a Docker archive: of what was put into it
  std::string media_type;
  bool unchanged = false;              ///< it was there
  std::int64_t documents = 0;          ///< put
  std::int64_t blobs_sent = 0, blobs_mounted = 0, blobs_there = 0;
  std::int64_t bytes_sent = 0;         ///< of blobs
};
/// Errors: invalid_argument, not_found (no such image, no such platform: the hint lists what there is), unauthorized, permission_denied,
/// unavailable, corrupt, unsupported, resource_exhausted, cancelled. After an error the target's name stands for what it did before.
Result<Copied> copy_image(CopySession& session, const CopyImage& request, const TransferEvents& events, task::Cancel cancel);

}  // namespace mica::engine
