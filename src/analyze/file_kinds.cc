#include "analyze/file_kinds.h"

#include <algorithm>
#include <array>
#include <string>

#include "analyze/image.h"

namespace mica::analyze {
namespace {

struct Folder {
  std::string_view path, kind;
};
/// Beneath these the folder says more than the name.
constexpr Folder kFolders[] = {
    {"usr/share/doc", "documentation"},        {"usr/share/man", "documentation"},    {"usr/share/info", "documentation"},
    {"usr/local/share/man", "documentation"},  {"usr/local/share/doc", "documentation"}, {"usr/share/gtk-doc", "documentation"},
    {"usr/share/locale", "locales"},           {"usr/share/i18n", "locales"},         {"usr/lib/locale", "locales"},
    {"usr/share/zoneinfo", "time zones"},      {"var/lib/dpkg", "package databases"}, {"lib/apk/db", "package databases"},
    {"usr/lib/apk/db", "package databases"},   {"var/lib/rpm", "package databases"},  {"usr/lib/sysimage/rpm", "package databases"},
    {"var/lib/pacman/local", "package databases"}, {"var/log", "logs"},               {"usr/include", "headers"},
    {"usr/local/include", "headers"},          {"etc/ssl/certs", "certificates"},     {"usr/share/ca-certificates", "certificates"},
    {"usr/share/fonts", "fonts"},              {"usr/share/icons", "images"},         {"boot", "kernels"},
    {"lib/modules", "kernels"},                {"usr/lib/modules", "kernels"},        {"lib/firmware", "firmware"},
    {"usr/lib/firmware", "firmware"},
};
/// Components that say it wherever they stand.
constexpr Folder kAnywhere[] = {{".git", "version control"}, {".hg", "version control"}, {".svn", "version control"}, {"__pycache__", "byte code"}};

/// By ending, sorted.
constexpr Folder kEndings[] = {
    {"7z", "archives"},       {"a", "static libraries"}, {"apk", "archives"},      {"avif", "images"},      {"bash", "scripts"},      {"beam", "byte code"},
    {"bmp", "images"},        {"bz2", "archives"},       {"c", "sources"},         {"cc", "sources"},       {"cjs", "javascript"},    {"class", "byte code"},
    {"conf", "configuration"}, {"cpp", "sources"},       {"crt", "certificates"},  {"css", "web pages"},    {"csv", "data"},          {"db", "databases"},
    {"deb", "archives"},      {"dll", "shared libraries"}, {"dylib", "shared libraries"}, {"eot", "fonts"}, {"exe", "programs"},      {"gem", "archives"},
    {"gif", "images"},        {"go", "sources"},         {"gz", "archives"},       {"h", "headers"},        {"hpp", "headers"},       {"htm", "web pages"},
    {"html", "web pages"},    {"ico", "images"},         {"ini", "configuration"}, {"jar", "java archives"}, {"java", "sources"},     {"jpeg", "images"},
    {"jpg", "images"},        {"js", "javascript"},      {"json", "data"},         {"jsx", "javascript"},   {"ko", "kernels"},        {"la", "static libraries"},
    {"log", "logs"},          {"lua", "scripts"},        {"map", "source maps"},   {"md", "documentation"}, {"mjs", "javascript"},    {"mo", "locales"},
    {"mp3", "media"},         {"mp4", "media"},          {"node", "shared libraries"}, {"o", "static libraries"}, {"otf", "fonts"},   {"parquet", "data"},
    {"pem", "certificates"},  {"php", "scripts"},        {"pl", "perl"},           {"pm", "perl"},          {"png", "images"},        {"po", "locales"},
    {"py", "python"},         {"pyc", "byte code"},      {"pyi", "python"},        {"pyo", "byte code"},    {"rb", "ruby"},           {"rpm", "archives"},
    {"rs", "sources"},        {"rst", "documentation"},  {"sh", "scripts"},        {"so", "shared libraries"}, {"sql", "data"},       {"sqlite", "databases"},
    {"svg", "images"},        {"tar", "archives"},       {"tgz", "archives"},      {"toml", "configuration"}, {"ts", "javascript"},   {"tsx", "javascript"},
    {"ttf", "fonts"},         {"txt", "documentation"},  {"war", "java archives"}, {"wasm", "programs"},    {"webp", "images"},       {"whl", "archives"},
    {"woff", "fonts"},        {"woff2", "fonts"},        {"xml", "data"},          {"xz", "archives"},      {"yaml", "configuration"}, {"yml", "configuration"},
    {"zip", "archives"},      {"zst", "archives"},
};
static_assert(std::ranges::is_sorted(kEndings, {}, &Folder::path));

/// "libc.so.6", "libssl.so.1.1".
bool is_versioned_library(std::string_view name) {
  const auto so = name.rfind(".so.");
  return so != name.npos && name.find_first_not_of("0123456789.", so + 4) == name.npos;
}

/// "core", "core.1234".
bool is_core_dump(std::string_view name) {
  return name.starts_with("core.") && name.size() > 5 && name.find_first_not_of("0123456789", 5) == name.npos;
}

}  // namespace

std::string_view file_kind(std::string_view path, std::uint32_t mode) {
  if (is_sparse_log(path)) return "sparse logs";
  for (const Folder& folder : kFolders)
    if (is_within(path, folder.path)) return folder.kind;
  const auto slash = path.rfind('/');
  for (std::size_t begin = 0; slash != path.npos && begin < slash;) {
    const std::size_t end = path.find('/', begin);
    for (const Folder& folder : kAnywhere)
      if (path.substr(begin, end - begin) == folder.path) return folder.kind;
    begin = end + 1;
  }
  const std::string_view name = slash == path.npos ? path : path.substr(slash + 1);
  if (is_versioned_library(name)) return "shared libraries";
  if (is_core_dump(name)) return "core dumps";
  if (const auto dot = name.rfind('.'); dot != name.npos && dot > 0) {
    const std::string_view ending = name.substr(dot + 1);
    const auto found = std::ranges::lower_bound(kEndings, ending, {}, &Folder::path);
    if (found != std::end(kEndings) && found->path == ending) return found->kind;
  }
  return mode & 0111 ? "programs" : "other";
}

bool is_sparse_log(std::string_view path) { return path == "var/log/lastlog" || path == "var/log/faillog"; }

}  // namespace mica::analyze
