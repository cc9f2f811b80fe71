#include "archive/sparse.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace mica::archive {
namespace {

std::unexpected<Error> bad(std::string_view why) { return failf(Errc::corrupt, "bad sparse map: {}", why); }

Result<std::uint64_t> natural(std::string_view text) {
  const auto value = parse_int(text);
  if (!value || *value < 0 || text.starts_with('+')) return bad(format("number {}", quoted(text.substr(0, 40))));
  return static_cast<std::uint64_t>(*value);
}

}  // namespace

Result<> check_sparse(SparseMap& map, std::uint64_t stored) {
  if (map.real_size > kMaxSparseSize) return bad("the file is larger than 16 TiB");
  std::uint64_t end = 0, sum = 0;
  for (const SparsePart& part : map.parts) {
    if (part.offset < end || part.offset > map.real_size || part.size > map.real_size - part.offset)
      return bad("parts overlap or pass the end of the file");
    end = part.offset + part.size;
    sum += part.size;
  }
  if (sum != stored) return bad(format("parts hold {} bytes, the archive {}", sum, stored));
  std::erase_if(map.parts, [](const SparsePart& part) { return part.size == 0; });
  return {};
}

Result<std::vector<SparsePart>> parse_sparse_list(std::string_view text) {
  std::vector<SparsePart> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (comma == text.npos) return bad("an offset without a size");
    const auto next = std::min(text.find(',', comma + 1), text.size());
    SparsePart part;
    part.offset = TRY(natural(text.substr(0, comma)));
    part.size = TRY(natural(text.substr(comma + 1, next - comma - 1)));
    parts.push_back(part);
    if (parts.size() > kMaxSparseParts) return bad("too many parts");
    text.remove_prefix(std::min(next + 1, text.size()));
  }
  return parts;
}

Result<std::optional<SparseMap>> sparse_of_records(const PaxRecords& records) {
  SparseMap map;
  bool found = false;
  std::optional<std::uint64_t> offset;
  for (const auto& [key, value] : records) {
    if (key == "GNU.sparse.size" || key == "GNU.sparse.realsize") {
      map.real_size = TRY(natural(value));
      found = true;
    } else if (key == "GNU.sparse.offset") {
      offset = TRY(natural(value));
    } else if (key == "GNU.sparse.numbytes") {
      if (!offset) return bad("a size without an offset");
      const std::uint64_t size = TRY(natural(value));
      map.parts.push_back({*offset, size});
      if (map.parts.size() > kMaxSparseParts) return bad("too many parts");
      offset.reset();
    } else if (key == "GNU.sparse.map") {
      map.parts = TRY(parse_sparse_list(value));
    }
  }
  if (!found) return std::nullopt;
  return map;
}

}  // namespace mica::archive
