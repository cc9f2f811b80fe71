#include "engine/archive_places.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/format.h"
#include "base/text.h"
#include "engine/layout_places.h"
#include "engine/oci_layout_writer.h"
#include "engine/save_images.h"

namespace mica::engine {
namespace {

class OciArchiveTarget : public ImageTarget {
 public:
  OciArchiveTarget(sys::TempDir temporary, std::unique_ptr<ImageTarget> layout, std::string layout_path, std::string file)
      : temporary_(std::move(temporary)), layout_(std::move(layout)), layout_path_(std::move(layout_path)), file_(std::move(file)) {}

  std::string store() const override { return layout_->store(); }
  Result<std::optional<oci::Digest>> current(const std::string&, task::Cancel) override { return std::optional<oci::Digest>(); }
  Result<bool> has_document(const oci::Digest& digest, task::Cancel cancel) override { return layout_->has_document(digest, cancel); }
  Result<registry::Uploaded> put_blob(const oci::Descriptor& blob, registry::Replayable& body, task::Cancel cancel,
                                      const std::function<void(std::int64_t)>& progress) override {
    return layout_->put_blob(blob, body, cancel, progress);
  }
  Result<> put_document(const registry::Document& document, Role role, const std::string& tag, task::Cancel cancel) override {
    return layout_->put_document(document, role, tag, cancel);
  }
  Result<> finish(task::Cancel cancel) override {
    return write_output_file(file_, [&](stream::Sink& to) { return write_folder_tar(layout_path_, to, cancel); });
  }

 private:
  sys::TempDir temporary_;
  std::unique_ptr<ImageTarget> layout_;
  std::string layout_path_, file_;
};

Result<sys::Fd> open_input(const std::string& path) {
  if (path != "-") return sys::open(path, O_RDONLY);
  const int copy = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail_errno("reading standard input");
  return sys::Fd(copy);
}

}  // namespace

Result<ArchiveFiles> open_archive(const ImagePlace& place, const std::string& folder, task::Cancel cancel) {
  auto file = TRY(open_input(place.path));
  const auto status = TRY(sys::stat_fd(file));
  if (S_ISDIR(status.st_mode)) return ArchiveFiles::folder(place.path);
  stream::FdSource source(std::move(file));
  return ArchiveFiles::spool(source, folder, cancel);
}

Result<sys::TempDir> folder_beside(const std::string& path) {
  struct stat status {};
  const bool is_file = path != "-" && (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode));
  return sys::TempDir::create(is_file ? dir_name(path) : temporary_folder(), ".mica-copy");
}

Result<std::unique_ptr<ImageSource>> oci_archive_source(const ImagePlace& place, task::Cancel cancel) {
  auto temporary = TRY(sys::TempDir::create(temporary_folder(), "mica-copy"));
  auto files = TRY_DOING(open_archive(place, temporary.path() + "/files", cancel), format("reading {}", place.str()));
  return layout_source(place, std::move(files), std::move(temporary));
}

Result<std::unique_ptr<ImageTarget>> oci_archive_target(const ImagePlace& place) {
  auto temporary = TRY(folder_beside(place.path));
  std::string layout_path = temporary.path() + "/layout";
  auto layout = TRY(layout_target({.kind = ImagePlace::Kind::layout, .path = layout_path, .name = place.name}));
  return std::make_unique<OciArchiveTarget>(std::move(temporary), std::move(layout), std::move(layout_path), place.path);
}

}  // namespace mica::engine
