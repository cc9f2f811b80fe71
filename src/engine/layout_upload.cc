#include "engine/layout_upload.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/format.h"
#include "base/text.h"

namespace mica::engine {
namespace {

std::string folder_of(const std::string& layout) { return layout + "/.uploads"; }
/// So much is given to the disk at a time while more comes in: the sync at the end finds little to do.
constexpr std::int64_t kWriteBehind = 8 << 20;

}  // namespace

Result<std::unique_ptr<LayoutUpload>> LayoutUpload::begin(const std::string& layout) {
  TRY(sys::make_directories(folder_of(layout)));
  std::string path = folder_of(layout) + "/" + random_hex(16);
  auto file = TRY_DOING(sys::FileLock::acquire(path, sys::LockMode::exclusive), "beginning an upload");
  return std::unique_ptr<LayoutUpload>(new LayoutUpload(layout, std::move(path), std::move(file)));
}

void LayoutUpload::sweep(const std::string& layout) {
  const auto folder = sys::open(folder_of(layout), O_RDONLY | O_DIRECTORY);
  if (!folder) return;
  const auto names = sys::list_names(*folder);
  for (const auto& name : names ? *names : std::vector<std::string>{}) {
    const std::string path = folder_of(layout) + "/" + name;
    if (const auto lock = sys::FileLock::try_acquire(path, sys::LockMode::exclusive)) (void)sys::remove_file(path);
  }
}

LayoutUpload::~LayoutUpload() {
  if (!path_.empty()) (void)sys::remove_file(path_);
}

Result<> LayoutUpload::append(std::span<const unsigned char> bytes) {
  TRY_DOING(sys::write_all(file_.fd(), bytes), "writing an upload");
  hash_.update(bytes);
  size_ += static_cast<std::int64_t>(bytes.size());
  if (size_ - pushed_out_ >= kWriteBehind) {
    (void)::sync_file_range(file_.fd().get(), pushed_out_, size_ - pushed_out_, SYNC_FILE_RANGE_WRITE);
    pushed_out_ = size_;
  }
  return {};
}

Result<> LayoutUpload::commit(const oci::Digest& expected) {
  const auto actual = oci::Digest::from_hex(hash_.finish_hex());
  if (actual != expected) return failf(Errc::corrupt, "the upload has another digest\n  expected: {}\n  actual:   {}", expected.str(), actual.str());
  const std::string folder = layout_ + "/blobs/sha256", target = folder + "/" + actual.hex();
  struct stat there{};
  if (::stat(target.c_str(), &there) == 0 && S_ISREG(there.st_mode) && there.st_size == size_) return {};
  if (::fchmod(file_.fd().get(), 0644) != 0) return fail_errno("finishing an upload");
  TRY_DOING(sys::sync(file_.fd()), "finishing an upload");
  TRY_DOING(sys::rename(path_, target), "finishing an upload");
  path_.clear();
  const auto directory = TRY(sys::open(folder, O_RDONLY | O_DIRECTORY));
  return sys::sync(directory);
}

}  // namespace mica::engine
