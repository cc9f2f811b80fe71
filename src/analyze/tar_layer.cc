#include "analyze/tar_layer.h"

#include "archive/tar.h"
#include "base/format.h"
#include "base/text.h"

namespace mica::analyze {
namespace {

constexpr std::string_view kWhiteout = ".wh.", kMark = ".wh..wh.", kOpaque = ".wh..wh..opq";

/// "" is the root. What tries to lead out of it stays inside, as when it is unpacked.
std::string key_of(std::string_view path) {
  std::string clean = clean_path("/" + std::string(path));
  clean.erase(0, 1);
  return clean;
}

class LayerReader {
 public:
  LayerReader(stream::Source& tar, Layer& layer, const TarOptions& options) : tar_(tar), layer_(layer), options_(options), buffer_(stream::kBufferBytes) {}

  Result<> run() {
    for (;;) {
      if (options_.check) TRY(options_.check());
      auto entry = TRY(tar_.next());
      if (!entry) break;
      TRY_DOING(take(*entry), format("reading {}", quoted(entry->path)));
    }
    TRY(tar_.drain());
    normalise(layer_);
    return {};
  }

 private:
  Result<> take(archive::Entry& from) {
    std::string path = key_of(from.path);
    if (path.empty()) return {};
    if (layer_.entries.size() + layer_.whiteouts.size() > kMaxEntries) return fail(Errc::resource_exhausted, "the layer has too many entries");
    const auto slash = path.rfind('/');
    const std::string_view last = std::string_view(path).substr(slash == path.npos ? 0 : slash + 1);
    if (last.starts_with(kWhiteout)) {
      take_mark(slash == path.npos ? "" : path.substr(0, slash), std::string(last));
      return {};
    }
    Entry entry{.path = std::move(path), .mode = from.mode, .uid = static_cast<std::uint32_t>(from.uid), .gid = static_cast<std::uint32_t>(from.gid), .mtime_ns = from.mtime_ns};
    if (!from.xattrs.empty()) entry.xattrs = pack_xattrs(std::move(from.xattrs));
    switch (from.type) {
      case archive::EntryType::file: TRY(take_body(from, entry)); break;
      case archive::EntryType::hard_link: entry.hard_link = key_of(from.link); break;
      case archive::EntryType::directory: entry.kind = Kind::directory; break;
      case archive::EntryType::symlink:
        entry.kind = Kind::symlink;
        entry.link = std::move(from.link);
        break;
      default: entry.kind = Kind::device;
    }
    layer_.entries.push_back(std::move(entry));
    return {};
  }

  void take_mark(std::string directory, const std::string& mark) {
    if (mark == kOpaque) {
      if (directory.empty()) layer_.opaque_root = true;
      // The mark comes before or after the directory's own entry, or without one: normalise() joins them.
      else layer_.entries.push_back({.path = std::move(directory), .kind = Kind::directory, .opaque = true, .implied = true, .mode = 0755});
    } else if (!mark.starts_with(kMark) && mark.size() > kWhiteout.size()) {
      if (!directory.empty()) directory += '/';
      layer_.whiteouts.push_back(directory + mark.substr(kWhiteout.size()));
    }
  }

  Result<> take_body(const archive::Entry& from, Entry& entry) {
    const bool keep = options_.wanted && from.size <= kMaxKeptBytes && options_.wanted(entry.path);
    std::string content;
    Sha256 hash;
    for (;;) {
      const std::size_t count = TRY(tar_.data().read(buffer_));
      if (count == 0) break;
      if (options_.check) TRY(options_.check());
      hash.update(std::span<const unsigned char>(buffer_).first(count));
      entry.size += count;
      if (keep) content.append(reinterpret_cast<const char*>(buffer_.data()), count);
    }
    entry.digest = hash.finish();
    entry.archived_size = entry.size;
    if (keep) layer_.contents[entry.path] = std::move(content);
    return {};
  }

  archive::TarReader tar_;
  Layer& layer_;
  const TarOptions& options_;
  std::vector<unsigned char> buffer_;
};

}  // namespace

Result<> read_tar_layer(stream::Source& tar, Layer& layer, const TarOptions& options) { return LayerReader(tar, layer, options).run(); }

}  // namespace mica::analyze
