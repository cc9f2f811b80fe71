// Reads an archive in pieces of varying size; what can be read is written and read again to the same entries.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "archive/tar.h"

namespace {
using namespace mica;

class Pieces : public stream::Source {
 public:
  Pieces(std::string_view bytes) : bytes_(bytes) {}
  Result<std::size_t> read(std::span<unsigned char> into) override {
    const std::size_t n = std::min({into.size(), bytes_.size(), std::size_t{1} + step_++ % 700});
    if (n) std::memcpy(into.data(), bytes_.data(), n);
    bytes_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view bytes_;
  std::size_t step_ = 0;
};

constexpr std::uint64_t kMaxExpanded = 1 << 22;  // sparse files may be far larger than the input

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Pieces pieces({reinterpret_cast<const char*>(data), size});
  archive::TarReader reader(pieces);
  stream::MemorySink memory;
  archive::TarWriter writer(memory);
  std::vector<archive::Entry> entries;
  std::uint64_t total = 0;
  while (true) {
    auto next = reader.next();
    if (!next || !*next) break;
    archive::Entry entry = std::move(**next);
    total += entry.size;
    if (total > kMaxExpanded) return 0;
    std::string content;
    if (entry.type == archive::EntryType::file) {
      auto read = stream::read_all(reader.data(), entry.size);
      if (!read) break;
      MICA_ASSERT(read->size() == entry.size, "a file has as many bytes as its entry says");
      content = std::move(*read);
    }
    while (entry.path.ends_with('/')) entry.path.pop_back();
    if (entry.path.empty()) entry.path = ".";
    const auto added = writer.add(entry);
    if (!added) continue;  // names that only the reader takes
    MICA_ASSERT(writer.write({reinterpret_cast<const unsigned char*>(content.data()), content.size()}).has_value(), "memory takes all");
    entries.push_back(std::move(entry));
  }
  if (!writer.finish()) return 0;

  stream::MemorySource again(memory.take());
  archive::TarReader second(again);
  for (archive::Entry& wanted : entries) {
    auto next = second.next();
    MICA_ASSERT(next.has_value() && next->has_value(), "what was written can be read");
    archive::Entry& entry = **next;
    if (entry.type == archive::EntryType::directory) entry.path.pop_back();
    MICA_ASSERT(entry.type == wanted.type && entry.path == wanted.path, "names and types survive");
    MICA_ASSERT(entry.uid == wanted.uid && entry.gid == wanted.gid && entry.mode == wanted.mode, "owners and modes survive");
    MICA_ASSERT(entry.mtime_ns == wanted.mtime_ns && entry.size == wanted.size, "times and sizes survive");
    MICA_ASSERT(entry.xattrs == wanted.xattrs, "extended attributes survive");
  }
  const auto end = second.next();
  MICA_ASSERT(end.has_value() && !end->has_value(), "and nothing else is there");
  return 0;
}
