/// Which tags of a repository a pattern means, and which of them are the newest.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mica::engine {

bool is_pattern(std::string_view text);
/// "registry/path:pattern" or "oci:path:pattern" in its two parts, when the tag has wildcards; else the second is empty.
std::pair<std::string, std::string> split_pattern(std::string_view source);

/// A tag as a version: what follows the text before the first wildcard of `pattern`, with or without a 'v': numbers and words. Tags that do not begin
/// with a digit there ("latest", "edge") are no versions.
bool is_version(std::string_view tag, std::string_view pattern);
/// Numbers by size, words by bytes; of two where one goes on, the longer is the newer when it goes on with a number ("1.2" < "1.2.1"), and older
/// when with a word ("1.2-rc1" < "1.2").
bool is_older(std::string_view a, std::string_view b);

/// The tags that match, in their order; with `newest` so many of the versions among them, the newest first. Tags made of digests (sha256-...: signatures
/// and referrers) are no images: they match only patterns that begin as they do.
std::vector<std::string> matching_tags(const std::vector<std::string>& tags, const std::string& pattern, int newest);

}  // namespace mica::engine
