/// A layer's entries from its tar (OCI Image Spec v1.1, layer.md): whiteouts and opaque marks are told apart from files, bodies are hashed on the way, nothing is
/// kept but the entries.
#pragma once
#include <functional>
#include <string_view>

#include "analyze/image.h"
#include "base/error.h"
#include "stream/stream.h"

namespace mica::analyze {

inline constexpr std::size_t kMaxEntries = 10'000'000;           ///< of a layer
inline constexpr std::size_t kMaxKeptBytes = 32 << 20;           ///< of a file whose content is kept

struct TarOptions {
  /// Whether the content of the file at a path is wanted too (Layer::contents); larger ones than kMaxKeptBytes are left out. May be empty.
  std::function<bool(std::string_view path)> wanted;
  /// Asked between entries; an error ends the reading. May be empty.
  std::function<Result<>()> check;
};
/// Fills `entries`, `whiteouts`, `opaque_root` and `contents` from uncompressed tar bytes, in the form that normalise() gives. The source is read to its end.
/// Errors: corrupt, unsupported (of the tar), resource_exhausted; those of `check`.
Result<> read_tar_layer(stream::Source& tar, Layer& layer, const TarOptions& options = {});

}  // namespace mica::analyze
