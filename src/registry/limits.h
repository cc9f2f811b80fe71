/// Bounds of what a registry or token service may make us hold or wait for.
#pragma once
#include <cstddef>
#include <cstdint>

namespace mica::registry {
inline constexpr std::size_t kMaxDocumentBytes = 8 << 20;           ///< a manifest or index; registries take 4 MiB at least
inline constexpr std::size_t kMaxListBytes = 16 << 20;              ///< one page of tags or referrers
inline constexpr std::size_t kMaxPages = 10'000;
inline constexpr std::size_t kMaxTokenBytes = 1 << 20;              ///< a token service's answer
inline constexpr std::size_t kMaxHeaderValue = 64 << 10;            ///< of WWW-Authenticate: a longer one is not looked at
inline constexpr std::size_t kMaxQuotedText = 400;                  ///< of a server's words in a message
inline constexpr std::int64_t kProgressBytes = 64 << 10;            ///< moved by one request: enough for a new budget of attempts
inline constexpr std::int64_t kOneRequestBytes = 4 << 20;           ///< blobs up to this size are sent in one PUT
inline constexpr std::int64_t kSmallChunkBytes = 32 << 20;          ///< of an upload through a server that refuses big bodies
inline constexpr std::int64_t kAnswerTimeoutSeconds = 300;          ///< registries verify and move a blob before they answer the closing PUT
inline constexpr std::int64_t kConnectMs = 15'000;
inline constexpr std::int64_t kMirrorConnectMs = 10'000;            ///< there is another place to ask
inline constexpr std::int64_t kGuessConnectMs = 10'000;             ///< while it is open whether a host speaks TLS at all
inline constexpr std::int64_t kLoopbackConnectMs = 3'000;
inline constexpr std::int64_t kCourtesySeconds = 3;                 ///< cancelling an upload session is a courtesy
}  // namespace mica::registry
