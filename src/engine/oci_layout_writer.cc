#include "engine/oci_layout_writer.h"

#include <fcntl.h>

#include <algorithm>

#include "archive/tar.h"
#include "base/format.h"
#include "base/text.h"
#include "engine/layer_bytes.h"

namespace mica::engine {
namespace {

constexpr std::string_view kLayoutMark = R"({"imageLayoutVersion":"1.0.0"})";

Result<> add_folder(archive::TarWriter& tar, const sys::Fd& folder, const std::string& path, task::Cancel cancel) {
  const auto names = TRY(sys::list_names(folder));
  for (const auto& name : names) {
    TRY(cancel.check());
    const std::string inner = path.empty() ? name : path + "/" + name;
    const auto status = TRY(sys::lstat_at(folder, name));
    auto fd = TRY(sys::open_at(folder, name, O_RDONLY | O_NOFOLLOW));
    if (S_ISDIR(status.st_mode)) {
      TRY(tar.add({.type = archive::EntryType::directory, .path = inner, .mode = 0755}));
      TRY(add_folder(tar, fd, inner, cancel));
      continue;
    }
    TRY(tar.add({.path = inner, .mode = 0644, .size = static_cast<std::uint64_t>(status.st_size)}));
    std::vector<unsigned char> buffer(stream::kBufferBytes);
    for (std::uint64_t left = static_cast<std::uint64_t>(status.st_size); left > 0;) {
      const std::size_t got = TRY(sys::read_full(fd, std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size()))));
      if (got == 0) return failf(Errc::corrupt, "{} shrank while it was read", inner);
      TRY(tar.write(std::span(buffer).first(got)));
      left -= got;
    }
  }
  return {};
}

/// What entries are told apart by; those without names stand for one.
std::string name_of(const json::Value& entry) {
  const json::Value* found = entry.find("annotations");
  const json::Value annotations = found ? *found : json::Value();
  return annotations.string_or("io.containerd.image.name") + "\n" + annotations.string_or("org.opencontainers.image.ref.name");
}

}  // namespace

Result<> make_layout_folder(const std::string& folder) {
  if (sys::exists(folder) && !sys::exists(folder + "/oci-layout")) {
    const auto fd = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
    const auto names = TRY(sys::list_names(fd));
    // Another copy may have begun the layout just now.
    if (!names.empty() && std::find(names.begin(), names.end(), "oci-layout") == names.end())
      return fail(Error(Errc::conflict, format("{} holds other things than an OCI layout", quoted(folder))).with_hint("name a new or empty folder"));
  }
  TRY(sys::make_directories(folder));
  // First of all: without it a folder that a crash left would be one with other things.
  const auto mark = TRY(sys::open(folder + "/oci-layout", O_CREAT | O_RDWR));
  const auto status = TRY(sys::stat_fd(mark));
  if (status.st_size == 0) TRY(sys::write_all(mark, kLayoutMark));
  return sys::make_directories(folder + "/blobs/sha256");
}

Result<sys::FileLock> lock_layout(const std::string& folder, int stop_fd) {
  return sys::FileLock::acquire(folder + "/oci-layout", sys::LockMode::exclusive, stop_fd);
}

Result<OciLayoutWriter> OciLayoutWriter::create(Engine& engine, const std::string& folder) {
  TRY(make_layout_folder(folder));
  return OciLayoutWriter(engine, folder);
}

Result<oci::Descriptor> OciLayoutWriter::put(std::string_view media_type, std::string_view bytes) {
  const auto digest = oci::Digest::of(bytes);
  if (!sys::exists(blob_path(digest))) TRY(sys::write_file_atomically(blob_path(digest), bytes));
  return oci::Descriptor{.media_type = std::string(media_type), .digest = digest, .size = static_cast<std::int64_t>(bytes.size())};
}

Result<oci::Descriptor> OciLayoutWriter::put_layer(const snapshot::LayerId& layer, stream::Compression compression, int level, task::Cancel cancel) {
  const std::string partial = format("{}/blobs/sha256/.{}.partial", folder_, random_hex(8));
  auto file = TRY(sys::open(partial, O_CREAT | O_EXCL | O_WRONLY));
  stream::FdSink sink(std::move(file));
  stream::HashingSink hashing(&sink);
  auto write = [&]() -> Result<> {
    if (compression == stream::Compression::none) return write_layer_bytes(*engine_, layer, hashing, cancel);
    auto encoder = TRY(stream::compress(hashing, compression, level, &engine_->pool()));
    TRY(write_layer_bytes(*engine_, layer, *encoder, cancel));
    return encoder->finish();
  };
  if (auto written = write(); !written) {
    (void)sys::remove_file(partial);
    return fail(std::move(written).error());
  }
  const auto digest = oci::Digest::from_hex(hashing.finish_hex());
  TRY(sys::rename(partial, blob_path(digest)));
  return oci::Descriptor{.media_type = std::string(layer_media_type(compression)), .digest = digest, .size = static_cast<std::int64_t>(hashing.size())};
}

Result<> OciLayoutWriter::finish(const oci::Index& index) {
  const auto lock = TRY(lock_layout(folder_));
  const std::string path = folder_ + "/index.json";
  if (!sys::exists(path)) return sys::write_file_atomically(path, index.write());
  // As JSON: entries of others may have members that we do not know.
  const std::string text = TRY(sys::read_file(path));
  auto merged = TRY_DOING(json::parse(text), format("reading {}", path));
  auto added = TRY(json::parse(index.write()));
  json::Value* entries = merged.find("manifests");
  if (!merged.is_object() || (entries && !entries->is_array())) return failf(Errc::corrupt, "{} is no index", quoted(path));
  if (!entries) entries = &merged.set("manifests", json::Value::array());
  json::Array& fresh = added.find("manifests")->as_array();
  std::erase_if(entries->as_array(), [&](const json::Value& old) {
    return std::any_of(fresh.begin(), fresh.end(), [&](const json::Value& one) { return name_of(one) == name_of(old); });
  });
  for (auto& one : fresh) entries->push(std::move(one));
  return sys::write_file_atomically(path, json::write(merged));
}

Result<> write_folder_tar(const std::string& folder, stream::Sink& to, task::Cancel cancel) {
  const auto root = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  archive::TarWriter tar(to);
  TRY(add_folder(tar, root, "", cancel));
  TRY(tar.finish());
  return to.finish();
}

}  // namespace mica::engine
