#include <fcntl.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "sys/entries.h"
#include "sys/fd.h"
#include "sys/os_failure.h"

namespace mica::sys {

Result<std::vector<std::string>> list_names(const Fd& dir) {
  // A description of our own: threads may share `dir`, whose read position is one for all, and it may be O_PATH.
  const Fd own = TRY_DOING(open_at(dir, ".", O_RDONLY | O_DIRECTORY), "listing a directory");
  std::vector<std::string> names;
  EntryReader reader(own.get());
  for (Entry entry; reader.next(entry);) names.emplace_back(entry.name);
  if (reader.failed()) return fail_errno("listing a directory");
  std::sort(names.begin(), names.end());
  return names;
}

Result<TempDir> TempDir::create(const std::string& parent, std::string_view prefix) {
  while (true) {
    std::string path = format("{}/{}-{}", parent, prefix, random_hex(8));
    if (::mkdir(path.c_str(), 0700) == 0) return TempDir(std::move(path));
    if (errno != EEXIST) return os_failure("making the directory", path);
  }
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  if (auto removed = remove_tree(path_); !removed) log::debug("{}", removed.error().text());
}

std::string TempDir::keep() && { return std::exchange(path_, {}); }

}  // namespace mica::sys
