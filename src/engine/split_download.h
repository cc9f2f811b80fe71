/// One large blob by several connections, where one alone is slow.
///
/// A download begins with one connection, which is best where the link is the limit. When it has run for a second and would need several
/// more, the rest is cut into equal parts which further connections fetch into temporary files, and the first one stops where
/// they begin. Bytes still reach the sink in order, each once. A server without ranges keeps its one connection.
#pragma once
#include <atomic>
#include <string>

#include "oci/image.h"
#include "registry/client.h"
#include "stream/stream.h"
#include "task/task.h"

namespace mica::engine {

struct SplitDownload {
  const registry::Repository& repository;
  const oci::Descriptor& blob;
  std::int64_t from = 0;
  task::Pool& pool;
  std::string temporary;                 ///< folder for the parts
  std::atomic<int>& spare;               ///< connections that may still be opened, shared by the downloads of an image
};
/// Writes the bytes from `from` on to `to`. Errors: those of Repository::read_blob.
Result<> read_split(const SplitDownload& download, stream::Sink& to, task::Cancel cancel);

}  // namespace mica::engine
