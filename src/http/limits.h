/// Bounds of what a server may make us hold or wait for.
#pragma once
#include <cstddef>

namespace mica::http {
inline constexpr std::size_t kMaxErrorBytes = 64 << 10;        ///< of a body that is no success: kept for the message
inline constexpr std::size_t kMaxIgnoredBytes = 1 << 20;       ///< read behind that to keep the connection; then it is dropped
inline constexpr std::size_t kMaxHeaderBytes = 1 << 20;        ///< all header lines of one response
inline constexpr std::size_t kMaxIdleHandles = 16;             ///< each with its open connections
}  // namespace mica::http
