/// The 512-byte header block of tar and its numbers.
///
/// | field | offset | size | | field | offset | size |
/// |---|---|---|---|---|---|---|
/// | name | 0 | 100 | | magic, version | 257 | 8 |
/// | mode | 100 | 8 | | uname | 265 | 32 |
/// | uid | 108 | 8 | | gname | 297 | 32 |
/// | gid | 116 | 8 | | devmajor | 329 | 8 |
/// | size | 124 | 12 | | devminor | 337 | 8 |
/// | mtime | 136 | 12 | | prefix (ustar) | 345 | 155 |
/// | chksum | 148 | 8 | | sparse map (GNU) | 386 | 4 × 24 |
/// | typeflag | 156 | 1 | | more map follows (GNU) | 482 | 1 |
/// | linkname | 157 | 100 | | real size (GNU) | 483 | 12 |
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mica::archive {

inline constexpr std::size_t kBlock = 512;
using Block = std::array<char, kBlock>;

struct Field {
  std::size_t offset, size;
};
inline constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kMtime{136, 12}, kChecksum{148, 8},
    kType{156, 1}, kLink{157, 100}, kMagic{257, 8}, kUserName{265, 32}, kGroupName{297, 32}, kMajor{329, 8}, kMinor{337, 8},
    kPrefix{345, 155}, kSparseMap{386, 96}, kSparseMore{482, 1}, kRealSize{483, 12};

constexpr std::uint64_t padding(std::uint64_t size) { return (kBlock - size % kBlock) % kBlock; }

enum class Dialect { v7, ustar, gnu };
Dialect dialect(const Block& block);
bool is_zero(const Block& block);
/// The sum over the block with blanks for its checksum; some old writers added signed bytes.
std::uint32_t checksum(const Block& block);
bool checksum_matches(const Block& block);

std::string_view raw(const Block& block, Field field);
std::string_view text(const Block& block, Field field);  ///< up to the first NUL
/// Octal digits between blanks and NULs, or base 256 when the first bit is set; an empty field is 0. nullopt: bad or overflow.
std::optional<std::int64_t> number(std::string_view field);

}  // namespace mica::archive
