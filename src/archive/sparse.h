/// GNU sparse files: the map of the parts that the archive holds; the rest reads as zeros.
///
/// Four encodings: the old GNU header (type 'S'), and PAX 0.0 (repeated offset/numbytes records), 0.1 (one map record) and 1.0
/// (the map in front of the data). (GNU tar manual, "Storing Sparse Files".)
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "archive/pax.h"

namespace mica::archive {

struct SparsePart {
  std::uint64_t offset = 0, size = 0;
};
struct SparseMap {
  std::uint64_t real_size = 0;
  std::vector<SparsePart> parts;  ///< in order, not overlapping, without empty ones
};

// A hostile map costs its bytes in the archive; these bound what it costs beyond.
inline constexpr std::size_t kMaxSparseParts = 1'000'000;
inline constexpr std::uint64_t kMaxSparseSize = std::uint64_t{16} << 40;  ///< the largest file of ext4

/// Order, bounds and sum of the parts against `stored` bytes of data; drops empty parts. Errors: corrupt.
Result<> check_sparse(SparseMap& map, std::uint64_t stored);
/// The map of PAX 0.0 and 0.1 records; nullopt when the records speak of none. Errors: corrupt.
Result<std::optional<SparseMap>> sparse_of_records(const PaxRecords& records);
/// "0,10,20,5" of PAX 0.1. Errors: corrupt.
Result<std::vector<SparsePart>> parse_sparse_list(std::string_view text);

}  // namespace mica::archive
