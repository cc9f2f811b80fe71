/// Compression formats of layers and archives: gzip by ISA-L, zstd by libzstd, xz and bzip2 (reading only) by liblzma and libbz2.
#pragma once
#include "stream/stream.h"
#include "task/task.h"

namespace mica::stream {

enum class Compression { none, gzip, zstd, xz, bzip2 };

/// By magic number; `none` when nothing is recognised. Six bytes suffice.
Compression detect(std::string_view first_bytes);
std::string_view name(Compression compression);

/// Decoded bytes of `from`, which must outlive it. Concatenated members (gzip, zstd, bzip2, xz) are read as one stream.
/// Reading errors: corrupt (bad or truncated data).
Result<std::unique_ptr<Source>> decompress(Source& from, Compression compression);

/// Encoder into `to`, which must outlive it. finish() writes the trailer (and does not finish `to`).
/// gzip: deterministic bytes for the same input, level and any thread count: MTIME 0, OS 255, no name. level -1: default
/// (ISA-L level 1). Levels gzip 0..3 are ISA-L's, 4..9 zlib's; zstd 1..19. Errors: unsupported for formats not written.
///
/// With a `pool`, gzip is made by its threads too, some pieces ahead of what `to` has got; the pool must outlive the sink.
Result<std::unique_ptr<Sink>> compress(Sink& to, Compression compression, int level = -1, task::Pool* pool = nullptr);

}  // namespace mica::stream
