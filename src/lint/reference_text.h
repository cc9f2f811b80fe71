/// Image references as they stand in a Dockerfile: only what can be said of the text.
#pragma once
#include <string>
#include <string_view>

namespace mica::lint {

/// "registry.example.com:5000/team/app:1.2@sha256:..." in parts; each may be empty but `path`.
struct ImageText {
  std::string_view registry;      ///< the first part when it has a dot or a colon or is "localhost"
  std::string_view path;          ///< "team/app", "library/debian", "debian"
  std::string_view tag, digest;
  std::string_view name() const { return path.starts_with("library/") ? path.substr(8) : path; }
  bool on_docker_hub() const { return registry.empty() || registry == "docker.io" || registry == "index.docker.io"; }
};
ImageText split_image(std::string_view text);

/// Whether the text is a reference at all: lower-case names, a tag and a digest of the right form.
bool is_image_reference(std::string_view text);
/// Patterns with '*' at either end, as hadolint's list of trusted registries has them: "*.example.com", "example.*", "*".
bool matches_ends(std::string_view pattern, std::string_view text);

/// When the maintainers of what an official image holds have stopped to mend it, or will: "2024-06-30". Empty: nothing is known.
struct EndOfLife {
  std::string what;               ///< "Debian 10 (buster)"
  std::string_view date;
};
EndOfLife end_of_life(const ImageText& image);
/// The day for which the table was put together; asked when no other day is known.
inline constexpr std::string_view kEndOfLifeRead = "2025-12-01";

}  // namespace mica::lint
